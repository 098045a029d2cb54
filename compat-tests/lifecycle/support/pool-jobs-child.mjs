// Terminates workers that have whole calls on paths in flight, and reports what they have left, as one line of JSON.
//   pool-jobs-child.mjs FOLDER ROUNDS
import { once } from 'node:events';
import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { processFacts } from '../../helpers/child.mjs';
import { engineThreadsLeft } from './engine-threads.mjs';
import { BLOCK_BYTES, taggedFault } from './tagged.mjs';

const [folder, rounds] = process.argv.slice(2);
const [calls, blocks] = [16, 8];

async function round(tag) {
  fs.mkdirSync(`${folder}/tree-${tag}/inside`, { recursive: true });
  for (let i = 0; i < 20; i++) fs.writeFileSync(`${folder}/tree-${tag}/inside/${i}`, '');
  const workerData = { folder, tag, calls, blocks };
  const worker = new Worker(new URL('./pool-jobs-worker.mjs', import.meta.url), { workerData });
  await once(worker, 'message');
  worker.postMessage('go');
  const [{ inFlight }] = await once(worker, 'message');
  await worker.terminate();
  const left = (await engineThreadsLeft()).pool.length;
  // What was begun is whole, and what was not is not there: no thread goes on behind the end of the worker.
  const files = fs.readdirSync(folder).filter((name) => /^(new|called|more)-/.test(name));
  const written = () => files.map((name) => fs.readFileSync(`${folder}/${name}`));
  const before = written();
  await sleep(50);
  const changed = written().filter((content, index) => !content.equals(before[index])).length;
  const faults = before.map((content, index) => {
    if (content.length !== blocks * BLOCK_BYTES) return `${files[index]}: ${content.length} bytes`;
    return taggedFault(content, tag);
  });
  for (const name of files) fs.rmSync(`${folder}/${name}`);
  return { inFlight, left, files: files.length, changed, faults: faults.filter(Boolean) };
}

// libuv's own pool begins with the first call that needs it, and stays.
await fs.promises.stat(folder);
const seen = [await round(1)];
const first = processFacts();
for (let tag = 2; tag <= Number(rounds); tag++) seen.push(await round(tag));
let last = processFacts();
const tasksGrown = () => last.tasks - first.tasks;
for (let i = 0; i < 100 && tasksGrown() > 0; i++) {
  await sleep(20);
  last = processFacts();
}
const descriptorsGrown = Object.keys(last.descriptors).length - Object.keys(first.descriptors).length;
console.log(JSON.stringify({ seen, tasksGrown: tasksGrown(), descriptorsGrown }));
