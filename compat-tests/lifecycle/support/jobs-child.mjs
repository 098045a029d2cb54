// Ends in the middle of a removal or a copy, or ends a worker that is in the middle of one.
//   jobs-child.mjs rm|cp process.exit|terminate FOLDER
// FOLDER has `from`, the tree; `to` is the copy. After `terminate`, one line of JSON tells what is left.
import { once } from 'node:events';
import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import * as engine from 'ioengine/fs';
import { processFacts } from '../../helpers/child.mjs';
import { engineThreadsLeft } from './engine-threads.mjs';

const [job, end, folder] = isMainThread ? process.argv.slice(2) : workerData;

const begin = {
  rm: () => engine.promises.rm(`${folder}/from`, { recursive: true }),
  cp: () => engine.promises.cp(`${folder}/from`, `${folder}/to`, { recursive: true }),
};

const amount = {
  rm: () => (fs.existsSync(`${folder}/from`) ? fs.readdirSync(`${folder}/from`).length : 0),
  cp: () => {
    if (!fs.existsSync(`${folder}/to`)) return 0;
    return fs.readdirSync(`${folder}/to`).reduce((sum, name) => sum + fs.statSync(`${folder}/to/${name}`).size, 0);
  },
};

/** The job is in the middle of its work. */
async function begun(before) {
  while (amount[job]() === before) await sleep(1);
}

if (!isMainThread) {
  begin[job]().catch(() => {});
} else if (end === 'process.exit') {
  const before = amount[job]();
  begin[job]();
  await begun(before);
  process.exit(0);
} else {
  await fs.promises.stat(folder);
  const ofFolder = () => Object.values(processFacts().descriptors).filter((name) => name.startsWith(folder)).length;
  const before = amount[job]();
  const worker = new Worker(new URL(import.meta.url), { workerData: [job, end, folder] });
  const started = once(worker, 'online');
  await started;
  await begun(before);
  await worker.terminate();
  const threads = (await engineThreadsLeft()).pool.length;
  const left = amount[job]();
  await sleep(50);
  console.log(JSON.stringify({ threads, descriptors: ofFolder(), changed: amount[job]() - left }));
}
