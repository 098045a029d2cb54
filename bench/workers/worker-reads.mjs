// Cached random 4 KiB reads in several threads of one process, 32 in flight in each: does a second Worker add what the
// first one has?
import process from 'node:process';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { BLOCK_SIZE, randomPositions, verifyBytes } from '../lib/blocks.mjs';
import { serve } from './protocol.mjs';
import { loadSubject } from './subject.mjs';

const DEPTH = 32;
const VERIFIED = 256;

/** @type {{ subject: 'node' | 'ioengine', file: string, size: number, workers: number }} */
const config = isMainThread ? JSON.parse(process.argv[2]) : workerData;

async function beThread() {
  const { fs } = await loadSubject(config.subject);
  const handle = await fs.promises.open(config.file, 'r');
  const buffers = Array.from({ length: DEPTH }, () => Buffer.allocUnsafeSlow(BLOCK_SIZE));
  /** @param {Buffer} buffer @param {{ left: number, next: () => number }} round @param {boolean} verifies */
  const loop = async (buffer, round, verifies) => {
    while (round.left > 0) {
      round.left--;
      const position = round.next();
      const { bytesRead } = await handle.read(buffer, 0, BLOCK_SIZE, position);
      if (bytesRead !== BLOCK_SIZE) throw new Error(`${bytesRead} bytes read at ${position}`);
      if (verifies) verifyBytes(buffer, position);
    }
  };
  const run = (/** @type {number} */ amount, /** @type {number} */ seed, verifies = false) => {
    const round = { left: amount, next: randomPositions(seed, config.size / BLOCK_SIZE) };
    return Promise.all(buffers.map((buffer) => loop(buffer, round, verifies)));
  };
  await run(VERIFIED, 4711, true);
  parentPort?.on('message', async ({ amount, seed }) => {
    await run(amount, seed);
    parentPort?.postMessage('done');
  });
  parentPort?.postMessage('ready');
}

/** @param {Worker} worker @returns {Promise<void>} its next message */
const answer = (worker) =>
  new Promise((resolve, reject) => {
    const onError = (/** @type {unknown} */ error) => reject(error);
    worker.once('error', onError);
    worker.once('message', () => {
      worker.off('error', onError);
      resolve();
    });
  });

if (isMainThread) {
  /** @type {Worker[]} */
  let workers = [];
  await serve({
    async prepare() {
      workers = Array.from(
        { length: config.workers },
        () => new Worker(new URL(import.meta.url), { workerData: config }),
      );
      await Promise.all(workers.map(answer));
    },
    async run(amount, seed) {
      const share = Math.ceil(amount / workers.length);
      const answers = workers.map(answer);
      for (const [i, worker] of workers.entries()) worker.postMessage({ amount: share, seed: seed + i });
      await Promise.all(answers);
      return { work: share * workers.length };
    },
  });
} else {
  await beThread();
}
