// How much memory grows while the same work is done again and again: RSS at the end of a round, less the RSS after its
// first tenth, in MiB. Descriptors must not grow at all.
import { Buffer } from 'node:buffer';
import { readdirSync } from 'node:fs';
import process from 'node:process';
import { BLOCK_SIZE, randomPositions, verifyBytes } from '../lib/blocks.mjs';
import { serve } from './protocol.mjs';
import { loadSubject } from './subject.mjs';

const DEPTH = 64;

/**
 * @type {{ subject: 'node' | 'ioengine', load: 'stream' | 'operations', file: string, size: number, steps: number }}
 */
const config = JSON.parse(process.argv[2]);
const { file, size, steps, load } = config;
const { fs, engine } = await loadSubject(config.subject);
const handle = await fs.promises.open(file);
const buffers = Array.from({ length: DEPTH }, () => Buffer.allocUnsafeSlow(BLOCK_SIZE));
const descriptors = () => readdirSync('/proc/self/fd').length;
const threads = () => readdirSync('/proc/self/task').length;
const next = randomPositions(7, size / BLOCK_SIZE);

/** @param {boolean} verified @returns {Promise<number>} bytes */
function passOfStream(verified) {
  return new Promise((resolve, reject) => {
    let bytes = 0;
    fs.createReadStream(file, { end: size - 1 })
      .on('data', (chunk) => {
        if (verified) verifyBytes(/** @type {Buffer} */ (chunk), bytes);
        bytes += chunk.length;
      })
      .on('error', reject)
      .on('close', () => (bytes === size ? resolve(bytes) : reject(new Error(`${bytes} of ${size} bytes`))));
  });
}

/** 1,000 reads. @param {boolean} verified */
async function thousandReads(verified) {
  let left = 1000;
  const loops = buffers.map(async (buffer) => {
    while (left-- > 0) {
      const position = next();
      const { bytesRead } = await handle.read(buffer, 0, BLOCK_SIZE, position);
      if (bytesRead !== BLOCK_SIZE) throw new Error(`${bytesRead} bytes at ${position}`);
      if (verified) verifyBytes(buffer, position);
    }
  });
  await Promise.all(loops);
  return 1000;
}

const step = load === 'stream' ? passOfStream : thousandReads;
let before = 0;
/** Pools start their threads when they are needed: what libuv and the engine may have (4 and 8), and no more. */
const POOLS = 12;
const threadsMax = threads() + POOLS;

await serve({
  async prepare() {
    await step(true);
    await step(false);
  },
  facts: () => ({ backend: engine?.backend() }),
  lanes: () => engine?.stats().lanes,
  begin() {
    before = descriptors();
  },
  async run(amount) {
    let work = 0;
    let early = 0;
    const all = steps * amount;
    for (let i = 0; i < all; i++) {
      work += await step(false);
      if (i === Math.floor(all / 10)) early = process.memoryUsage.rss();
    }
    return { work, figure: (process.memoryUsage.rss() - early) / 2 ** 20 };
  },
  check() {
    if (descriptors() > before) throw new Error(`${descriptors()} descriptors, ${before} before`);
    if (threads() > threadsMax) throw new Error(`${threads()} threads, more than ${threadsMax}`);
  },
});
