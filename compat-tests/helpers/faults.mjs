// Faults at the border to the kernel, by strace: `-e inject=SYSCALL:error=E:when=A..B`. It changes what a system call
// returns; what a completion says it cannot change (for that there is the slow disk with failReads and failWrites).
import { spawnSync } from 'node:child_process';
import { hasProgram } from '../fixtures/resource.mjs';

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

/** All system calls of io_uring, and all of Linux native AIO, for strace's -e trace=. */
export const uringSyscalls = 'io_uring_setup,io_uring_enter,io_uring_register';
export const aioSyscalls = 'io_setup,io_submit,io_getevents,io_pgetevents,io_cancel,io_destroy';
