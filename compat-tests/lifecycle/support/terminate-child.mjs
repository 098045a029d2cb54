// Terminates workers that have reads in flight on the slow disk, and reports what it saw as one line of JSON.
// A process of its own: a write into freed memory may kill it at any later time.
import fs from 'node:fs';
import { Worker } from 'node:worker_threads';
import { processFacts } from '../../helpers/child.mjs';

const options = JSON.parse(process.env.TERMINATE_OPTIONS);
const workerFile = new URL('./reading-worker.mjs', import.meta.url);

function inFlight() {
  return Number(/^reads_in_flight (\d+)$/m.exec(fs.readFileSync(options.control, 'latin1'))[1]);
}

function heard(worker, word) {
  return new Promise((resolve, reject) => {
    worker.once('error', reject);
    worker.on('message', (message) => message === word && resolve());
  });
}

async function wave(width) {
  const workers = Array.from({ length: width }, () => new Worker(workerFile, { workerData: options }));
  await Promise.all(workers.map((worker) => heard(worker, 'ready')));
  const submitted = workers.map((worker) => heard(worker, 'submitted'));
  for (const worker of workers) {
    worker.postMessage('go');
  }
  await Promise.all(submitted);
  const before = inFlight();
  await Promise.all(workers.map((worker) => worker.terminate()));
  const after = inFlight();
  if (after > 0) result.evidence = fs.readFileSync(options.control, 'latin1').replaceAll('\n', ', ');
  // Memory freed too early is used again here, where a late completion would scribble over it.
  const canaries = Array.from({ length: 64 }, () => Buffer.alloc(4096, 0xa5));
  return { before, after, canaries };
}

const result = { terminated: 0, idleWaves: 0, stillInFlight: 0, spoiled: 0, leastInFlight: Infinity };
const kept = [];
let first;
while (result.terminated < options.times) {
  const { before, after, canaries } = await wave(options.width);
  if (before === 0) {
    // The disk answered before all workers had spoken: this wave proves nothing.
    if (++result.idleWaves > 40) break;
    continue;
  }
  result.terminated += options.width;
  result.leastInFlight = Math.min(result.leastInFlight, before);
  result.stillInFlight += after;
  kept.push(canaries);
  first ??= processFacts();
}
result.spoiled = kept.flat().filter((canary) => !canary.every((byte) => byte === 0xa5)).length;
const last = processFacts();
result.tasksGrown = last.tasks - first.tasks;
result.descriptorsGrown = Object.keys(last.descriptors).length - Object.keys(first.descriptors).length;
result.rssGrownMiB = Math.round((last.rssBytes - first.rssBytes) / 1048576);
console.log(JSON.stringify(result));
