// Programs under a seccomp filter: compat-tests/fixtures/refuse_calls.c, compiled when it is first needed.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { inRoot } from '../../../scripts/lib/paths.mjs';
import { hasProgram, run } from '../../fixtures/resource.mjs';

const source = inRoot('compat-tests', 'fixtures', 'refuse_calls.c');
const program = inRoot('compat-tests', '.build', 'refuse_calls');

/** The same on every architecture: calls that came after 2019 share their numbers. */
const IO_URING = { io_uring_setup: 425, io_uring_enter: 426, io_uring_register: 427 };

/** Why no filter can be had here, or undefined. */
export const filterObstacle = () => (hasProgram('gcc') ? undefined : 'the program gcc is not installed');

function build() {
  const built = fs.statSync(program, { throwIfNoEntry: false });
  if (built !== undefined && built.mtimeMs >= fs.statSync(source).mtimeMs) return;
  fs.mkdirSync(path.dirname(program), { recursive: true });
  const partial = `${program}.${process.pid}`;
  run('gcc', ['-O2', '-std=gnu11', '-Wall', '-Wextra', '-o', partial, source]);
  fs.renameSync(partial, program);
}

/** Runs node with these arguments where the calls are refused with EPERM; what spawnSync answers. */
export function nodeWithout(calls, args, env) {
  build();
  const numbers = calls.map((call) => IO_URING[call]).join(',');
  return spawnSync(program, [numbers, process.execPath, ...args], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
}
