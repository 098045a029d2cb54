// Starts workers that are the only ones with an engine, ends them, and reports which threads of theirs are left.
//   threads-child.mjs FOLDER ROUNDS terminate|exit [wait]       wait: for a line on stdin before a worker ends
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { engineThreads, engineThreadsLeft } from './engine-threads.mjs';

const [folder, rounds, end, wait] = process.argv.slice(2);
const reports = [];
for (let round = 0; round < Number(rounds); round++) {
  const worker = new Worker(new URL('./threads-worker.mjs', import.meta.url), { workerData: folder });
  const exited = once(worker, 'exit');
  const [{ backend, threads }] = await once(worker, 'message');
  if (wait === 'wait') {
    console.log(JSON.stringify(threads));
    await once(process.stdin, 'data');
  }
  if (end === 'terminate') await worker.terminate();
  else worker.postMessage('end');
  await exited;
  const left = await engineThreadsLeft();
  // The kernel takes the workers of a ring down by itself, after the thread that made the ring has gone. Threads of a
  // pool should not be there at all: they get the time to run into what is no longer theirs.
  for (let i = 0; i < 1000 && Object.values(engineThreads()).flat().length > 0; i++) await sleep(20);
  left.ring = engineThreads().ring;
  reports.push({ backend, threads, left });
}
console.log(JSON.stringify(reports));
process.exit(0);
