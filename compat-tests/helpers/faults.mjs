// Faults at the border to the kernel, by strace: `-e inject=SYSCALL:error=E:when=A..B`. It changes what a system call
// returns; what a completion says it cannot change (for that there is the slow disk with failReads and failWrites).
import { spawnSync } from 'node:child_process';
import { hasProgram } from '../fixtures/resource.mjs';
import { runChild } from './child.mjs';

let obstacle;

/** Why strace cannot be used here, or undefined. */
export function straceObstacle() {
  if (obstacle === undefined) {
    if (!hasProgram('strace')) {
      obstacle = 'the program strace is not installed';
    } else {
      const tried = spawnSync('strace', ['-qq', '-o', '/dev/null', 'true'], { encoding: 'utf8' });
      obstacle = tried.status === 0 ? '' : `strace may not trace here: ${tried.stderr.trim()}`;
    }
  }
  return obstacle === '' ? undefined : obstacle;
}

/**
 * The expression for strace's -e inject=.
 * @param {string} syscalls one name or several with commas
 * @param {{ error?: string, retval?: number, delayExitUs?: number, when?: string | number }} fault
 */
export function injection(syscalls, { error, retval, delayExitUs, when } = {}) {
  const parts = [syscalls];
  if (error !== undefined) {
    parts.push(`error=${error}`);
  }
  if (retval !== undefined) {
    parts.push(`retval=${retval}`);
  }
  if (delayExitUs !== undefined) {
    parts.push(`delay_exit=${delayExitUs}`);
  }
  if (when !== undefined) {
    parts.push(`when=${when}`);
  }
  return parts.join(':');
}

let rings;

/**
 * Injections that take away the rings of node's own event loop, so that what is left is the engine's: Node 22 and newer
 * make some before a program's first line, and libuv aborts when a call on one of them fails. None where node makes
 * none.
 */
export async function loopWithoutRings() {
  if (rings === undefined) {
    const child = await runChild({ code: '', strace: { trace: 'io_uring_setup' } });
    // The main thread makes the first one. strace counts for each thread by itself.
    const threads = child.trace.filter((line) => line.includes('io_uring_setup(')).map((line) => line.split(' ')[0]);
    rings = threads.filter((thread) => thread === threads[0]).length;
  }
  return rings === 0 ? [] : [injection('io_uring_setup', { error: 'ENOSYS', when: `1..${rings}` })];
}

/** All system calls of io_uring, and all of Linux native AIO, for strace's -e trace=. */
export const uringSyscalls = 'io_uring_setup,io_uring_enter,io_uring_register';
export const aioSyscalls = 'io_setup,io_submit,io_getevents,io_pgetevents,io_cancel,io_destroy';
