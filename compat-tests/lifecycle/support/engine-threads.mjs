// The threads that engines have started in this process: those of their pools, and the workers of their rings.
import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * A thread that was joined is listed for a moment longer, on its way out, and runs until then. One that was forgotten
 * sleeps or, under strace, is stopped.
 */
function isOnItsWayOut(thread) {
  try {
    const stat = fs.readFileSync(`/proc/self/task/${thread}/stat`, 'latin1');
    return 'RZX'.includes(stat.at(stat.lastIndexOf(')') + 2));
  } catch {
    return true;
  }
}

/** What is left when those that were on their way out have gone. */
export async function engineThreadsLeft() {
  for (let i = 0; i < 1000; i++) {
    const left = engineThreads();
    if (!left.pool.some(isOnItsWayOut)) return left;
    await sleep(10);
  }
  return engineThreads();
}

/** @returns {{ pool: number[], ring: number[] }} thread ids */
export function engineThreads() {
  const found = { pool: [], ring: [] };
  for (const thread of fs.readdirSync('/proc/self/task')) {
    let name = '';
    try {
      name = fs.readFileSync(`/proc/self/task/${thread}/comm`, 'latin1').trim();
    } catch {
      // It ended while we looked.
    }
    if (name === 'ioengine-pool') found.pool.push(Number(thread));
    if (name.startsWith('iou-wrk-')) found.ring.push(Number(thread));
  }
  return found;
}
