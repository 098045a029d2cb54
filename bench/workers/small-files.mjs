// Whole small files (readFile) or what the kernel knows of them (stat, lstat, access), a fixed number at a time, in
// random order.
import { Buffer } from 'node:buffer';
import process from 'node:process';
import { randomPositions } from '../lib/blocks.mjs';
import { pathOfFile, sizeOfFile, verifyFile } from '../lib/small-files.mjs';
import { endOfCall, startOfCall } from './latency.mjs';
import { serve } from './protocol.mjs';
import { loadSubject } from './subject.mjs';

/**
 * @type {{ subject: 'node' | 'ioengine', call: 'readFile' | 'stat' | 'lstat' | 'access', folder: string,
 *   files: number, style: 'promises' | 'callbacks', depth: number, encoding?: 'utf8' }}
 */
const config = JSON.parse(process.argv[2]);
const { fs, engine } = await loadSubject(config.subject);
const { promises } = fs;
const paths = Array.from({ length: config.files }, (_, i) => pathOfFile(config.folder, i));
// randomPositions counts in blocks of 4 KiB: here a block is a file.
const POSITIONS_PER_FILE = 4096;

/** @typedef {{ left: number, next: () => number }} Round */

/** @param {number} index */
function stringOfFile(index) {
  // Not every number is UTF-8: what Buffer makes of it is what readFile must give.
  return Buffer.from(new Uint32Array(sizeOfFile(index) / 4).fill(index).buffer).toString('utf8');
}

/** The call under measure. Each gives a number that says whether the file was served whole. */
const encoding = config.encoding;
const promised = {
  readFile: async (/** @type {string} */ path) => (await promises.readFile(path, encoding)).length,
  stat: async (/** @type {string} */ path) => (await promises.stat(path)).size,
  lstat: async (/** @type {string} */ path) => (await promises.lstat(path)).size,
  access: async (/** @type {string} */ path) => void (await promises.access(path)),
};
const served = {
  readFile: (/** @type {any} */ content) => content.length,
  stat: (/** @type {any} */ stats) => stats.size,
  lstat: (/** @type {any} */ stats) => stats.size,
  access: () => undefined,
};

const expected = Array.from({ length: config.files }, (_, i) => {
  if (config.call === 'access') return undefined;
  return encoding ? stringOfFile(i).length : sizeOfFile(i);
});

/** @param {number} index @param {number | undefined} found */
function requireExpected(index, found) {
  if (found !== expected[index]) throw new Error(`file ${index}: ${found} instead of ${expected[index]}`);
}

/** One of the concurrent loops: nothing but the call is in it. @param {Round} round */
async function promiseLoop(round) {
  const call = promised[config.call];
  while (round.left > 0) {
    round.left--;
    const index = round.next() / POSITIONS_PER_FILE;
    const started = startOfCall();
    const found = await call(paths[index]);
    if (started !== 0) endOfCall(started);
    if (found !== expected[index]) requireExpected(index, found);
  }
}

/** The same with callbacks. @param {Round} round @returns {Promise<void>} */
function callbackLoop(round) {
  const call = /** @type {any} */ (fs)[config.call];
  const args = encoding ? [encoding] : [];
  return new Promise((resolve, reject) => {
    const next = () => {
      if (round.left <= 0) return resolve();
      round.left--;
      const index = round.next() / POSITIONS_PER_FILE;
      const started = startOfCall();
      call(paths[index], ...args, (/** @type {Error | null} */ error, /** @type {any} */ result) => {
        if (started !== 0) endOfCall(started);
        if (error) return reject(error);
        if (served[config.call](result) !== expected[index]) return reject(new Error(`file ${index}: not whole`));
        next();
      });
    };
    next();
  });
}

const loop = config.style === 'callbacks' ? callbackLoop : promiseLoop;

/** @param {Round} round */
const loops = (round) => Promise.all(Array.from({ length: config.depth }, () => loop(round)));

await serve({
  async prepare() {
    for (let i = 0; i < config.files; i++) {
      verifyFile(await promises.readFile(paths[i]), i);
      requireExpected(i, await promised[config.call](paths[i]));
      if (encoding && (await promises.readFile(paths[i], encoding)) !== stringOfFile(i)) {
        throw new Error(`file ${i}: another text`);
      }
    }
  },
  facts: () => ({ backend: engine?.backend() }),
  lanes: () => engine?.stats().lanes,
  async run(amount, seed) {
    await loops({ left: amount, next: randomPositions(seed, config.files) });
    return { work: amount };
  },
});
