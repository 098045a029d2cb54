// One side of slow-mount.mjs: node slow-mount-worker.mjs MODULE FOLDER SECONDS. Prints operations per second by task.
import { strictEqual } from 'node:assert';

const [module, folder, seconds] = process.argv.slice(2);
const { default: fs } = await import(module);
const p = fs.promises;
const FILES = 2000;
const BLOCKS = 1024;
const BLOCK = 4096;

/** `depth` of them at a time for so long. */
async function rateOf(depth, operation) {
  const started = performance.now();
  const end = started + Number(seconds) * 1000;
  let next = 0;
  const lane = async () => {
    while (performance.now() < end) await operation(next++);
  };
  await Promise.all(Array.from({ length: depth }, lane));
  return (next * 1000) / (performance.now() - started);
}

const fileOf = (i) => `${folder}/small-${i % FILES}`;

async function reads(depth) {
  const handle = await p.open(`${folder}/large`, 'r');
  const buffers = Array.from({ length: depth }, () => Buffer.allocUnsafe(BLOCK));
  const rate = await rateOf(depth, async (i) => {
    const buffer = buffers.pop();
    const block = (i * 7919) % BLOCKS;
    const { bytesRead } = await handle.read(buffer, 0, BLOCK, block * BLOCK);
    strictEqual(bytesRead, BLOCK);
    strictEqual(buffer.readUInt32LE(0), block);
    buffers.push(buffer);
  });
  await handle.close();
  return rate;
}

const tasks = {
  'read 4 KiB, 32 in flight': () => reads(32),
  'read 4 KiB, 128 in flight': () => reads(128),
  'stat, 64 at a time': () => rateOf(64, async (i) => strictEqual((await p.stat(fileOf(i))).size, 1000)),
  'readFile, 64 at a time': () => rateOf(64, async (i) => strictEqual((await p.readFile(fileOf(i))).length, 1000)),
};

// Threads are started by now, as they are in a service.
await tasks['read 4 KiB, 32 in flight']();
const results = {};
for (const [name, task] of Object.entries(tasks)) results[name] = await task();
console.log(JSON.stringify(results));
