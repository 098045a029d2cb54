// A worker that has whole calls on paths in flight on a slow disk when it is told to, and then waits to be terminated.
import { setImmediate } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { stats } from 'ioengine';
import { promises, writeFile } from 'ioengine/fs';
import { taggedBytes } from './tagged.mjs';

const { folder, tag, calls, blocks } = workerData;
const file = (kind, index) => `${folder}/${kind}-${tag}-${index}`;

const ways = [
  (i) => promises.writeFile(file('new', i), taggedBytes(tag, blocks), { flush: true }),
  (i) => writeFile(file('called', i), taggedBytes(tag, blocks), { flush: true }, () => {}),
  (i) => promises.appendFile(file('more', i), taggedBytes(tag, blocks), { flush: true }),
  () => promises.rm(`${folder}/tree-${tag}`, { recursive: true }),
];

parentPort.once('message', async () => {
  for (let i = 0; i < calls; i++) ways[i % ways.length](i)?.catch(() => {});
  // What they were given is this thread's memory, and nothing here holds it any more.
  for (let turn = 0; turn < 10_000 && stats().inFlight === 0; turn++) await setImmediate();
  parentPort.postMessage({ inFlight: stats().inFlight });
});
await promises.readdir(folder);
parentPort.postMessage('ready');
