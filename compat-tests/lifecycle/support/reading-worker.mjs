// A worker that has reads of a slow file in flight when it is told to, and then waits to be terminated.
import { parentPort, workerData } from 'node:worker_threads';
import { alignedBuffer } from 'ioengine';
import { open } from 'ioengine/fs';

const { file, reads, pooled, direct } = workerData;
const handle = await open(file, { flags: 'r', direct });
parentPort.once('message', () => {
  for (let i = 0; i < reads; i++) {
    const buffer = pooled ? alignedBuffer(4096) : Buffer.alloc(4096);
    // Two blocks apart, so that neither the kernel nor the engine makes one request of them.
    handle.read(buffer, 0, 4096, i * 8192).catch(() => {});
  }
  setImmediate(() => parentPort.postMessage('submitted'));
});
parentPort.postMessage('ready');
