// How late the event loop is while it has a load of reads: the p99 of its delay in a round is the figure.
import { Buffer } from 'node:buffer';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { BLOCK_SIZE, randomPositions, verifyBytes } from '../lib/blocks.mjs';
import { pathOfFile, verifyFile } from '../lib/small-files.mjs';
import { directProof } from './direct-proof.mjs';
import { serve } from './protocol.mjs';
import { loadSubject, pageAlignedBuffers } from './subject.mjs';

/** @typedef {'big-reads' | 'files-at-once' | 'endless' | 'direct'} Load */
/**
 * @type {{ subject: 'node' | 'ioengine', load: Load, file: string, size: number, folder: string, files: number,
 *   bigSize: number, atOnce: number, ms: number }}
 */
const config = JSON.parse(process.argv[2]);
const { file, size, folder, files, bigSize, atOnce, ms, load } = config;
const { fs, engine } = await loadSubject(config.subject);
const { O_RDONLY, O_DIRECT } = fs.constants;
const handle = await fs.promises.open(file, O_RDONLY | (load === 'direct' ? O_DIRECT : 0));
const proof = load === 'direct' ? directProof(engine) : undefined;
const BIG_READS = 64;
const DIRECT_READS = 64;

/** @type {Uint8Array[]} */
const buffers =
  load === 'big-reads'
    ? Array.from({ length: BIG_READS }, () => Buffer.allocUnsafeSlow(bigSize))
    : pageAlignedBuffers(BLOCK_SIZE, DIRECT_READS);
const next = randomPositions(99, size / BLOCK_SIZE);

/** @param {Uint8Array} buffer @param {number} position @param {boolean} verified */
async function readOne(buffer, position, verified) {
  const { bytesRead } = await handle.read(buffer, 0, buffer.length, position);
  if (bytesRead !== buffer.length) throw new Error(`${bytesRead} of ${buffer.length} bytes at ${position}`);
  if (verified) verifyBytes(buffer, position);
  return bytesRead;
}

/** @param {boolean} verified @returns {Promise<number>} bytes */
async function readFiles(verified) {
  const read = Array.from({ length: atOnce }, async (_, i) => {
    const content = await fs.promises.readFile(pathOfFile(folder, i % files));
    if (verified) verifyFile(content, i % files);
    return content.length;
  });
  return (await Promise.all(read)).reduce((sum, length) => sum + length, 0);
}

/** One step of the load. @type {Record<Load, (verified: boolean) => Promise<number>>} */
const steps = {
  async 'big-reads'(verified) {
    const at = (/** @type {number} */ i) => (i * bigSize) % (size - bigSize + BLOCK_SIZE);
    const read = await Promise.all(buffers.map((buffer, i) => readOne(buffer, at(i), verified)));
    return read.reduce((sum, length) => sum + length, 0);
  },
  'files-at-once': readFiles,
  endless: (verified) => readOne(buffers[0], next(), verified),
  async direct(verified) {
    const read = await Promise.all(buffers.map((buffer) => readOne(buffer, next(), verified)));
    return read.reduce((sum, length) => sum + length, 0);
  },
};

await serve({
  async prepare() {
    await steps[load](true);
  },
  facts: () => ({ backend: engine?.backend() }),
  lanes: () => engine?.stats().lanes,
  begin: () => proof?.begin(),
  async run(rounds) {
    const delay = monitorEventLoopDelay({ resolution: 1 });
    // Its first interval counts from its start: without a turn in between a round of few turns would record nothing.
    delay.enable();
    await sleep(5);
    const end = performance.now() + ms * rounds;
    let work = 0;
    while (performance.now() < end) work += await steps[load](false);
    await sleep(5);
    delay.disable();
    return { work, figure: delay.percentile(99) / 1e6 };
  },
  check: (work) => proof?.check(work),
});
