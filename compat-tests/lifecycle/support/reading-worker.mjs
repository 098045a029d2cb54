// A worker that has reads of a slow file in flight when it is told to, and then waits to be terminated.
import { parentPort, workerData } from 'node:worker_threads';
import { alignedBuffer } from 'ioengine';
import { open } from 'ioengine/fs';
import { LARGE_BYTES, SMALL_BYTES, STRIDE_BYTES } from './read-sizes.mjs';

const { file, reads, pooled, direct } = workerData;
const handle = await open(file, { flags: 'r', direct });

const ways = {
  ordinary: (at) => handle.read(Buffer.alloc(SMALL_BYTES), 0, SMALL_BYTES, at),
  small: (at) => handle.read(alignedBuffer(SMALL_BYTES), 0, SMALL_BYTES, at),
  large: (at) => handle.read(alignedBuffer(LARGE_BYTES), 0, LARGE_BYTES, at),
  vectored: (at) => handle.readv([alignedBuffer(SMALL_BYTES), alignedBuffer(LARGE_BYTES)], at),
};
const used = pooled ? [ways.small, ways.large, ways.vectored] : [ways.ordinary];

parentPort.once('message', () => {
  for (let i = 0; i < reads; i++) used[i % used.length](i * STRIDE_BYTES).catch(() => {});
  setImmediate(() => parentPort.postMessage('submitted'));
});
parentPort.postMessage('ready');
