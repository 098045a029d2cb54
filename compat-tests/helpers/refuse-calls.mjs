// Programs under a seccomp filter: compat-tests/fixtures/refuse_calls.c, compiled when it is first needed.
import { spawnSync } from 'node:child_process';
import os from 'node:os';
import { hasProgram } from '../fixtures/resource.mjs';
import { buildFixture } from './fuse-program.mjs';

/** The same on every architecture: calls that came after 2019 share their numbers. */
const SHARED = {
  io_uring_setup: 425,
  io_uring_enter: 426,
  io_uring_register: 427,
  open_tree: 428,
  move_mount: 429,
  fsopen: 430,
  fsconfig: 431,
  fsmount: 432,
  fspick: 433,
  openat2: 437,
  faccessat2: 439,
  mount_setattr: 442,
  cachestat: 451,
  statmount: 457,
  listmount: 458,
};
const OLDER = {
  x64: { io_setup: 206, io_submit: 209, ptrace: 101, mount: 165, umount2: 166, swapon: 167, reboot: 169, add_key: 248 },
  arm64: { io_setup: 0, io_submit: 2, ptrace: 117, mount: 40, umount2: 39, swapon: 224, reboot: 142, add_key: 217 },
};
const MORE = {
  x64: {
    request_key: 249,
    keyctl: 250,
    unshare: 272,
    perf_event_open: 298,
    open_by_handle_at: 304,
    setns: 308,
    bpf: 321,
    statx: 332,
  },
  arm64: {
    request_key: 218,
    keyctl: 219,
    unshare: 97,
    perf_event_open: 241,
    open_by_handle_at: 265,
    setns: 268,
    bpf: 280,
    statx: 291,
  },
};
const numbers = { ...SHARED, ...OLDER[os.arch()], ...MORE[os.arch()] };

const ENOSYS = os.constants.errno.ENOSYS;
const withError = (names, error) => names.map((name) => `${name}=${error}`);
const refused = [
  ...['io_uring_setup', 'io_uring_enter', 'io_uring_register', 'mount', 'umount2', 'swapon', 'reboot', 'add_key'],
  ...['request_key', 'keyctl', 'unshare', 'perf_event_open', 'open_by_handle_at', 'setns', 'bpf', 'open_tree'],
  ...['move_mount', 'fsopen', 'fsconfig', 'fsmount', 'fspick', 'mount_setattr'],
];

/** What Docker's default profile refuses to a container without capabilities, as far as a kernel knows it. */
export const dockerProfiles = {
  'the default profile': refused,
  // Calls that its libseccomp does not know are not there, whatever the kernel says.
  'the default profile of an older Docker': [
    ...refused,
    ...withError(['cachestat', 'openat2', 'faccessat2', 'statmount', 'listmount'], ENOSYS),
  ],
  // Its libseccomp says EPERM to what it does not know.
  'a profile of 2018': [...refused, 'statx', 'openat2', 'faccessat2', 'cachestat', 'statmount', 'listmount'],
  'a profile without AIO': [...refused, 'io_setup', 'io_submit'],
};

/** Why no filter can be had here, or undefined. */
export function filterObstacle() {
  if (numbers.mount === undefined) return `the numbers of system calls on ${os.arch()} are not in the list`;
  return hasProgram('gcc') ? undefined : 'the program gcc is not installed';
}

/** The command that starts a program where the calls are refused: `name` with EPERM, `name=ERRNO` with that. */
export function launcherWithout(calls) {
  const list = calls.map((call) => call.replace(/^\w+/, (name) => numbers[name]));
  return [buildFixture('refuse_calls'), list.join(',')];
}

/** Runs node with these arguments where the calls are refused; what spawnSync answers. */
export function nodeWithout(calls, args, env) {
  const [program, list] = launcherWithout(calls);
  return spawnSync(program, [list, process.execPath, ...args], { encoding: 'utf8', env: { ...process.env, ...env } });
}
