// Random 4 KiB writes into the page cache with a fixed number in flight, over a file that is there already. Each block
// says which block it is and in which round it was written; after a round a sample of them is read back.
import { Buffer } from 'node:buffer';
import fs from 'node:fs';
import process from 'node:process';
import { BLOCK_SIZE, randomPositions } from '../lib/blocks.mjs';
import { endOfCall, startOfCall } from './latency.mjs';
import { serve } from './protocol.mjs';
import { loadSubject } from './subject.mjs';

const SAMPLE = 1024;

/** @type {{ subject: 'node' | 'ioengine', folder: string, size: number, depth: number }} */
const config = JSON.parse(process.argv[2]);
const { fs: subject, engine } = await loadSubject(config.subject);
const path = `${config.folder}/random-write-${process.pid}`;
const blockCount = config.size / BLOCK_SIZE;
const buffers = Array.from({ length: config.depth }, () => Buffer.alloc(BLOCK_SIZE, 'random write '));
const pattern = Buffer.alloc(BLOCK_SIZE, 'random write ');
/** @type {number[]} the first positions that the last round has written */
let written = [];
let stamp = 0;
/** @type {import('node:fs').promises.FileHandle} */
let handle;

process.on('exit', () => fs.rmSync(path, { force: true }));

/** @param {Buffer} buffer @param {{ left: number, next: () => number }} round */
async function loop(buffer, round) {
  while (round.left > 0) {
    round.left--;
    const position = round.next();
    buffer.writeUInt32LE(position / BLOCK_SIZE, 0);
    buffer.writeUInt32LE(stamp, 4);
    const started = startOfCall();
    const { bytesWritten } = await handle.write(buffer, 0, BLOCK_SIZE, position);
    if (started !== 0) endOfCall(started);
    if (bytesWritten !== BLOCK_SIZE) throw new Error(`${bytesWritten} bytes written at ${position}`);
  }
}

/** @param {number} amount @param {number} seed */
async function writeAll(amount, seed) {
  const next = randomPositions(seed, blockCount);
  await Promise.all(buffers.map((buffer) => loop(buffer, { left: Math.ceil(amount / buffers.length), next })));
  const again = randomPositions(seed, blockCount);
  written = Array.from({ length: Math.min(SAMPLE, amount) }, again);
  return Math.ceil(amount / buffers.length) * buffers.length;
}

function check() {
  const block = Buffer.alloc(BLOCK_SIZE);
  const fd = fs.openSync(path, 'r');
  for (const position of written) {
    fs.readSync(fd, block, 0, BLOCK_SIZE, position);
    const right =
      block.readUInt32LE(0) === position / BLOCK_SIZE &&
      block.readUInt32LE(4) === stamp &&
      block.compare(pattern, 8, BLOCK_SIZE, 8) === 0;
    if (!right) throw new Error(`wrong data at ${position}`);
  }
  fs.closeSync(fd);
}

await serve({
  async prepare() {
    fs.writeFileSync(path, Buffer.alloc(config.size, 'x'), { flush: true });
    handle = await subject.promises.open(path, 'r+');
    stamp++;
    await writeAll(SAMPLE, 4711);
    check();
  },
  facts: () => ({ backend: engine?.backend() }),
  lanes: () => engine?.stats().lanes,
  begin: () => void stamp++,
  run: async (amount, seed) => ({ work: await writeAll(amount, seed) }),
  check,
});
