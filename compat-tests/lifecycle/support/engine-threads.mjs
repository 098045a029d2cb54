// The threads that engines have started in this process: those of their pools, and the workers of their rings.
import fs from 'node:fs';

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
