// What of the system decides which backend runs: libc, limits, the sandbox. Files of /proc and /sys that are not there
// are facts as well, and no errors.

import { existsSync, readFileSync } from 'node:fs';
import { release, version } from 'node:os';

export function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return undefined;
  }
}

function numberIn(file: string): number | undefined {
  const text = textOf(file);
  return text === undefined || text === '' || Number.isNaN(Number(text)) ? undefined : Number(text);
}

interface Report {
  header: { glibcVersionRuntime?: string };
  sharedObjects: string[];
}

function nodeReport(): Report {
  const report = process.report as unknown as { excludeNetwork?: boolean; getReport(): Report };
  // Else node asks the name server about every open socket.
  report.excludeNetwork = true;
  return report.getReport();
}

/** glibc with its version, musl, or unknown. */
export function libc(): string {
  const { header, sharedObjects } = nodeReport();
  if (header.glibcVersionRuntime !== undefined) return `glibc ${header.glibcVersionRuntime}`;
  return sharedObjects.some((file) => /\/ld-musl-|libc\.musl-/.test(file)) ? 'musl' : 'unknown';
}

/** The addon that the dynamic linker has loaded into this process. */
export const loadedAddon = (): string | undefined =>
  nodeReport().sharedObjects.find((file) => /\/ioengine[^/]*\.node$/.test(file));

export interface Limit {
  soft: number | 'unlimited';
  hard: number | 'unlimited';
}

/** A row of /proc/self/limits, see proc_pid_limits(5). */
function limit(name: string): Limit | undefined {
  const row = textOf('/proc/self/limits')
    ?.split('\n')
    .find((line) => line.startsWith(name));
  const [soft, hard] = row?.slice(name.length).trim().split(/\s+/) ?? [];
  if (soft === undefined || hard === undefined) return undefined;
  const value = (text: string): number | 'unlimited' => (text === 'unlimited' ? text : Number(text));
  return { soft: value(soft), hard: value(hard) };
}

/** The folder of this process's cgroup that has `file`, or the closest one above it that has. */
function cgroupFile(file: string): string | undefined {
  const rows = textOf('/proc/self/cgroup')?.split('\n') ?? [];
  for (const row of rows) {
    const [, controllers = '', path = '/'] = /^\d+:([^:]*):(.*)$/.exec(row) ?? [];
    const isUnified = controllers === '';
    if (!isUnified && !controllers.split(',').includes('pids')) continue;
    const mounts = isUnified ? ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'] : ['/sys/fs/cgroup/pids'];
    for (const mount of mounts) {
      for (let folder = path; ; folder = folder.replace(/\/[^/]*$/, '')) {
        const found = `${mount}${folder === '/' ? '' : folder}/${file}`;
        if (existsSync(found)) return found;
        if (folder === '' || folder === '/') break;
      }
    }
  }
  return undefined;
}

const numberOrText = (text: string | undefined): number | string | undefined =>
  text === undefined || Number.isNaN(Number(text)) ? text : Number(text);

function cgroupPids(): { current?: number | string; max?: number | string } {
  const file = cgroupFile('pids.max');
  if (file === undefined) return {};
  const current = textOf(file.replace(/max$/, 'current'));
  return { current: numberOrText(current), max: numberOrText(textOf(file)) };
}

const IO_URING_DISABLED = ['0: everybody may use io_uring', '1: only members of io_uring_group may', '2: nobody may'];

export interface Limits {
  memlock?: Limit;
  nofile?: Limit;
  nproc?: Limit;
  addressSpace?: Limit;
  aio: { used?: number; max?: number };
  ioUringDisabled?: number;
  ioUringDisabledMeans?: string;
  ioUringGroup?: number;
  maxMapCount?: number;
  cgroupPids: { current?: number | string; max?: number | string };
}

export function limits(): Limits {
  const disabled = numberIn('/proc/sys/kernel/io_uring_disabled');
  return {
    memlock: limit('Max locked memory'),
    nofile: limit('Max open files'),
    nproc: limit('Max processes'),
    addressSpace: limit('Max address space'),
    aio: { used: numberIn('/proc/sys/fs/aio-nr'), max: numberIn('/proc/sys/fs/aio-max-nr') },
    ioUringDisabled: disabled,
    ioUringDisabledMeans: disabled === undefined ? undefined : IO_URING_DISABLED[disabled],
    ioUringGroup: numberIn('/proc/sys/kernel/io_uring_group'),
    maxMapCount: numberIn('/proc/sys/vm/max_map_count'),
    cgroupPids: cgroupPids(),
  };
}

const SECCOMP_MODES = ['none', 'strict', 'filter'];

/** A field of /proc/self/status, see proc_pid_status(5). */
function status(name: string): string | undefined {
  return new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(textOf('/proc/self/status') ?? '')?.[1];
}

export interface Sandbox {
  /** The seccomp mode of this process: none, strict or filter. */
  seccomp: string;
  noNewPrivileges: boolean;
  /** What suggests a container or a virtual kernel, each with where it was seen. */
  hints: string[];
}

// gVisor answers with one and the same version of Linux, whatever the host runs.
const isGvisor = (): boolean => /#1 SMP Sun Jan 10 15:06:54 PST 2016/.test(`${version()}`);

function containerHints(): string[] {
  const hints: string[] = [];
  if (existsSync('/.dockerenv')) hints.push('Docker (/.dockerenv)');
  if (existsSync('/run/.containerenv')) hints.push('Podman (/run/.containerenv)');
  if (process.env.KUBERNETES_SERVICE_HOST !== undefined) hints.push('Kubernetes (KUBERNETES_SERVICE_HOST)');
  if (process.env.container !== undefined) hints.push(`${process.env.container} (the variable container)`);
  const cgroup = textOf('/proc/self/cgroup') ?? '';
  const named = /docker|kubepods|libpod|lxc|containerd|garden/.exec(cgroup)?.[0];
  if (named !== undefined) hints.push(`${named} (/proc/self/cgroup)`);
  if (isGvisor()) hints.push('gVisor (the version of its kernel)');
  if (/microsoft/i.test(release())) hints.push('WSL (the name of the kernel)');
  return hints;
}

export function sandbox(): Sandbox {
  const mode = Number(status('Seccomp'));
  return {
    seccomp: SECCOMP_MODES[mode] ?? 'unknown',
    noNewPrivileges: status('NoNewPrivs') === '1',
    hints: containerHints(),
  };
}
