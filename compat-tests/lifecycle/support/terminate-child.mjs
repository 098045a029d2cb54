// Terminates workers that have reads in flight on the slow disk, and reports what it saw as one line of JSON.
// A process of its own: a write into freed memory may kill it at any later time.
import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { alignedBuffer } from 'ioengine';
import { processFacts } from '../../helpers/child.mjs';
import { LARGE_BYTES, SMALL_BYTES } from './read-sizes.mjs';

const options = JSON.parse(process.env.TERMINATE_OPTIONS);
const workerFile = new URL('./reading-worker.mjs', import.meta.url);

function inFlight() {
  return Number(/^watched_reads_in_flight (\d+)$/m.exec(fs.readFileSync(options.control, 'latin1'))[1]);
}

function heard(worker, word) {
  return new Promise((resolve, reject) => {
    worker.once('error', reject);
    worker.on('message', (message) => message === word && resolve());
  });
}

// Memory that was given back too early is handed out again here, where a late completion would scribble over it.
const filled = (buffer) => buffer.fill(0xa5);
const isSpoiled = (buffer) => !buffer.every((byte) => byte === 0xa5);
const ordinaryCanaries = () => Array.from({ length: 64 }, () => filled(Buffer.alloc(SMALL_BYTES)));

/**
 * Terminates the workers, and meanwhile takes blocks of the aligned pool, which is one for the whole process: the
 * Buffers of a worker are finalized long before its teardown has waited for its reads.
 */
async function terminateAll(workers) {
  let over = false;
  const ended = Promise.all(workers.map((worker) => worker.terminate())).then(() => {
    over = true;
  });
  const blocks = [];
  let takenInTime = 0;
  while (options.pooled && !over) {
    for (const size of [SMALL_BYTES, LARGE_BYTES, SMALL_BYTES, LARGE_BYTES]) blocks.push(filled(alignedBuffer(size)));
    if (inFlight() > 0) takenInTime = blocks.length;
    await sleep(3);
  }
  await ended;
  return { blocks, takenInTime };
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
  const { blocks, takenInTime } = await terminateAll(workers);
  const after = inFlight();
  if (after > 0) result.evidence = fs.readFileSync(options.control, 'latin1').replaceAll('\n', ', ');
  result.spoiledBlocks += blocks.filter(isSpoiled).length;
  return { before, after, takenInTime, canaries: ordinaryCanaries() };
}

const result = {
  terminated: 0,
  idleWaves: 0,
  stillInFlight: 0,
  spoiled: 0,
  spoiledBlocks: 0,
  leastInFlight: Infinity,
  mostTakenInTime: 0,
};
const kept = [];
let first;
// On a busy machine it may take a few waves more until one had the time to take enough blocks.
const lacksBlocks = () => options.pooled && result.mostTakenInTime < options.blocks && waves < 40;
const isLate = () => result.terminated >= options.least && performance.now() > options.budgetMs;
const enough = () => (result.terminated >= options.times || isLate()) && !lacksBlocks();
let waves = 0;
while (!enough()) {
  const { before, after, takenInTime, canaries } = await wave(options.width);
  waves++;
  if (before === 0) {
    // The disk answered before all workers had spoken: this wave proves nothing.
    if (++result.idleWaves > 40) break;
    continue;
  }
  result.terminated += options.width;
  result.leastInFlight = Math.min(result.leastInFlight, before);
  result.mostTakenInTime = Math.max(result.mostTakenInTime, takenInTime);
  result.stillInFlight += after;
  kept.push(canaries);
  first ??= processFacts();
}
result.spoiled = kept.flat().filter(isSpoiled).length;
// The kernel lists a thread for a moment after it was joined, and takes a ring down by itself: what is left has to
// stay.
let last = processFacts();
const tasksGrown = () => last.tasks - first.tasks;
const descriptorsGrown = () => Object.keys(last.descriptors).length - Object.keys(first.descriptors).length;
for (let i = 0; i < 100 && (tasksGrown() > 0 || descriptorsGrown() > 0); i++) {
  await sleep(20);
  last = processFacts();
}
result.tasksGrown = tasksGrown();
result.descriptorsGrown = descriptorsGrown();
result.rssGrownMiB = Math.round((last.rssBytes - first.rssBytes) / 1048576);
console.log(JSON.stringify(result));
