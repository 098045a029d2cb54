// Whole small files (promises.readFile) or their attributes (promises.stat), a fixed number at a time, in random order.
import process from 'node:process';
import { randomPositions } from '../lib/blocks.mjs';
import { FILES, pathOfFile, sizeOfFile, verifyFile } from '../lib/small-files.mjs';
import { serve } from './protocol.mjs';
import { loadSubject } from './subject.mjs';

/** @type {{ subject: 'node' | 'ioengine', call: 'readFile' | 'stat', folder: string, depth: number }} */
const config = JSON.parse(process.argv[2]);
const { fs, engine } = await loadSubject(config.subject);
const { promises } = fs;
const paths = Array.from({ length: FILES }, (_, i) => pathOfFile(config.folder, i));
// randomPositions counts in blocks of 4 KiB: here a block is a file.
const POSITIONS_PER_FILE = 4096;

/** @typedef {{ left: number, next: () => number }} Round */

/** @param {number} index @param {number} found */
function requireWhole(index, found) {
  if (found !== sizeOfFile(index)) throw new Error(`file ${index}: ${found} bytes`);
}

/** One of the concurrent loops: nothing but the call is in it. @param {Round} round */
async function readLoop(round) {
  while (round.left > 0) {
    round.left--;
    const index = round.next() / POSITIONS_PER_FILE;
    const content = await promises.readFile(paths[index]);
    if (content.length !== sizeOfFile(index)) requireWhole(index, content.length);
  }
}

/** @param {Round} round */
async function statLoop(round) {
  while (round.left > 0) {
    round.left--;
    const index = round.next() / POSITIONS_PER_FILE;
    const { size } = await promises.stat(paths[index]);
    if (size !== sizeOfFile(index)) requireWhole(index, size);
  }
}

const loop = config.call === 'stat' ? statLoop : readLoop;

/** @param {Round} round */
const loops = (round) => Promise.all(Array.from({ length: config.depth }, () => loop(round)));

await serve({
  async prepare() {
    for (let i = 0; i < FILES; i++) {
      verifyFile(await promises.readFile(paths[i]), i);
      requireWhole(i, (await promises.stat(paths[i])).size);
    }
  },
  facts: () => ({ backend: engine?.backend() }),
  lanes: () => engine?.stats().lanes,
  async run(amount, seed) {
    await loops({ left: amount, next: randomPositions(seed, FILES) });
    return { work: amount };
  },
});
