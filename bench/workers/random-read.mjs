// Random 4 KiB reads with a fixed number in flight, through promises (FileHandle.read) or callbacks (fs.read).
import { Buffer } from 'node:buffer';
import process from 'node:process';
import { BLOCK_SIZE, randomPositions, verifyBytes } from '../lib/blocks.mjs';
import { directProof } from './direct-proof.mjs';
import { endOfCall, startOfCall } from './latency.mjs';
import { serve } from './protocol.mjs';
import { loadSubject, pageAlignedBuffers } from './subject.mjs';

const VERIFIED_READS = 2048;

/**
 * @type {{
 *   subject: 'node' | 'ioengine', style: 'promises' | 'callbacks',
 *   file: string, size: number, depth: number, direct: boolean,
 * }}
 */
const config = JSON.parse(process.argv[2]);
const { fs, engine } = await loadSubject(config.subject);
const blockCount = config.size / BLOCK_SIZE;
const buffers = makeBuffers();
const flags = fs.constants.O_RDONLY | (config.direct ? fs.constants.O_DIRECT : 0);

const proof = config.direct ? directProof(engine) : undefined;

/** Where each buffer was last read from. @type {number[]} */
let lastPositions = [];

function makeBuffers() {
  if (!config.direct) return Array.from({ length: config.depth }, () => Buffer.allocUnsafeSlow(BLOCK_SIZE));
  if (engine) return Array.from({ length: config.depth }, () => engine.alignedBuffer(BLOCK_SIZE));
  return pageAlignedBuffers(BLOCK_SIZE, config.depth);
}

/** @typedef {{ left: number, next: () => number }} Round */

/**
 * @param {number} position
 * @param {number} bytesRead
 */
function requireWholeBlock(position, bytesRead) {
  if (bytesRead !== BLOCK_SIZE) throw new Error(`${bytesRead} bytes read at ${position}`);
}

/**
 * One of the concurrent loops. Nothing but the read is in it, and a look at the clock for a few.
 * @param {import('node:fs').promises.FileHandle} handle
 * @param {Uint8Array} buffer
 * @param {Round} round
 */
async function promiseLoop(handle, buffer, round) {
  let position = -1;
  while (round.left > 0) {
    round.left--;
    position = round.next();
    const started = startOfCall();
    const { bytesRead } = await handle.read(buffer, 0, BLOCK_SIZE, position);
    if (started !== 0) endOfCall(started);
    if (bytesRead !== BLOCK_SIZE) requireWholeBlock(position, bytesRead);
  }
  return position;
}

/**
 * @param {number} fd
 * @param {Uint8Array} buffer
 * @param {Round} round
 * @returns {Promise<number>}
 */
function callbackLoop(fd, buffer, round) {
  return new Promise((resolve, reject) => {
    let position = -1;
    let started = 0;
    const readNext = () => {
      if (round.left <= 0) {
        resolve(position);
        return;
      }
      round.left--;
      position = round.next();
      started = startOfCall();
      fs.read(fd, buffer, 0, BLOCK_SIZE, position, onRead);
    };
    /** @type {(error: Error | null, bytesRead: number) => void} */
    const onRead = (error, bytesRead) => {
      if (started !== 0) endOfCall(started);
      if (error) reject(error);
      else if (bytesRead !== BLOCK_SIZE) reject(new Error(`${bytesRead} bytes read at ${position}`));
      else readNext();
    };
    readNext();
  });
}

/** @type {(buffer: Uint8Array, round: Round) => Promise<number>} */
let loop;
/** @type {(buffer: Uint8Array, position: number) => Promise<number>} */
let readOnce;

async function openFile() {
  if (config.style === 'promises') {
    const handle = await fs.promises.open(config.file, flags);
    loop = (buffer, round) => promiseLoop(handle, buffer, round);
    readOnce = async (buffer, position) => (await handle.read(buffer, 0, BLOCK_SIZE, position)).bytesRead;
    return;
  }
  const fd = await new Promise((resolve, reject) => {
    fs.open(config.file, flags, (error, opened) => (error ? reject(error) : resolve(opened)));
  });
  loop = (buffer, round) => callbackLoop(fd, buffer, round);
  readOnce = (buffer, position) =>
    new Promise((resolve, reject) => {
      fs.read(fd, buffer, 0, BLOCK_SIZE, position, (error, bytesRead) => (error ? reject(error) : resolve(bytesRead)));
    });
}

async function prepare() {
  await openFile();
  const next = randomPositions(12345, blockCount);
  let left = VERIFIED_READS;
  await Promise.all(
    buffers.map(async (buffer) => {
      while (left-- > 0) {
        const position = next();
        requireWholeBlock(position, await readOnce(buffer.fill(0), position));
        verifyBytes(buffer, position);
      }
    }),
  );
}

await serve({
  prepare,
  facts: () => ({ backend: engine?.backend() }),
  lanes: () => engine?.stats().lanes,
  async run(amount, seed) {
    const round = { left: amount, next: randomPositions(seed, blockCount) };
    lastPositions = await Promise.all(buffers.map((buffer) => loop(buffer, round)));
    return { work: amount };
  },
  begin: () => proof?.begin(),
  check(work) {
    proof?.check(work * BLOCK_SIZE);
    lastPositions.forEach((position, i) => {
      if (position >= 0) verifyBytes(buffers[i], position);
    });
  },
});
