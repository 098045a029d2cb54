// H3: with IOSQE_ASYNC, links or drain the file is looked up late: after close + open the read returned another file's
// bytes. H4: the same for a request queued but not yet submitted, and for closeSync in the same turn.
// Rule: close waits per descriptor, for plain numeric descriptors too; closeSync submits what is queued and waits only
// for regular-file requests whose file is looked up late. Red when a close overtakes a request made before it.
import { execFileSync } from 'node:child_process';
import nodeFs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import fs from 'ioengine/fs';
import { skip } from '../helpers/backend.mjs';
import { sharedSlowDisk } from '../helpers/slow-disk.mjs';
import { removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';
import { BLOCK_BYTES, taggedFault, writeTagged } from './support/tagged.mjs';

const FILES = 8;
const BLOCKS = 64;
const { O_RDONLY, O_DIRECT } = nodeFs.constants;

function readLater(fd, bytes, block) {
  const buffer = Buffer.alloc(bytes);
  return new Promise((resolve) => {
    fs.read(fd, buffer, 0, bytes, block * BLOCK_BYTES, (error, bytesRead) =>
      resolve({ error, bytes: buffer.subarray(0, bytesRead ?? 0), block }),
    );
  });
}

const closed = (fd) => new Promise((resolve, reject) => fs.close(fd, (error) => (error ? reject(error) : resolve())));
const opened = (file, flags) =>
  new Promise((resolve, reject) => fs.open(file, flags, (error, fd) => (error ? reject(error) : resolve(fd))));

function expectTagged(outcome, tag, size) {
  expect(outcome.error, `a read submitted before the close failed: ${outcome.error?.message}`).to.equal(null);
  expect(outcome.bytes.length).to.equal(size);
  expect(taggedFault(outcome.bytes, tag, outcome.block), 'wrong bytes').to.equal(undefined);
}

describe('H3, H4: close and open overtake nothing', () => {
  let directory;
  let files;

  before(() => {
    directory = temporaryDirectory();
    files = Array.from({ length: FILES }, (_, tag) =>
      writeTagged(path.join(directory, `file-${tag}`), tag + 1, BLOCKS),
    );
  });
  after(() => removeDirectory(directory));

  // 4 KiB is served inline or at submit; 192 KiB is what uring marks IOSQE_ASYNC and the others hand to the pool.
  for (const size of [BLOCK_BYTES, 48 * BLOCK_BYTES]) {
    it(`close() in the same turn, then open() of another file: ${size} bytes, 400 rounds`, async () => {
      let fd = await opened(files[0], 'r');
      for (let round = 0; round < 400; round++) {
        const tag = (round % FILES) + 1;
        const reads = Array.from({ length: 4 }, (_, i) => readLater(fd, size, i));
        const closing = closed(fd);
        const next = opened(files[(round + 1) % FILES], 'r');
        for (const outcome of await Promise.all(reads)) expectTagged(outcome, tag, size);
        await closing;
        fd = await next;
      }
      await closed(fd);
    });

    it(`closeSync() and openSync() in the same turn: ${size} bytes, 400 rounds`, async () => {
      for (let round = 0; round < 400; round++) {
        const tag = (round % FILES) + 1;
        const fd = fs.openSync(files[tag - 1], 'r');
        const reads = Array.from({ length: 4 }, (_, i) => readLater(fd, size, i));
        fs.closeSync(fd);
        const other = fs.openSync(files[(round + 1) % FILES], 'r');
        expect(other, 'the descriptor is used again at once').to.equal(fd);
        const outcomes = await Promise.all(reads);
        fs.closeSync(other);
        for (const outcome of outcomes) expectTagged(outcome, tag, size);
      }
    });
  }

  it('FileHandles: reads submitted before close() all see their own file, 200 rounds', async () => {
    for (let round = 0; round < 200; round++) {
      const tag = (round % FILES) + 1;
      const handle = await fs.open(files[tag - 1], 'r');
      const buffers = Array.from({ length: 8 }, () => Buffer.alloc(8 * BLOCK_BYTES));
      const reads = buffers.map((buffer, i) => handle.read(buffer, 0, buffer.length, i * BLOCK_BYTES));
      const closing = handle.close();
      const other = await fs.open(files[(round + 1) % FILES], 'r');
      for (const [i, { bytesRead, buffer }] of (await Promise.all(reads)).entries()) {
        expect(bytesRead).to.equal(buffer.length);
        expect(taggedFault(buffer, tag, i)).to.equal(undefined);
      }
      await closing;
      await other.close();
    }
  });

  for (const how of ['close', 'closeSync']) {
    it(`${how} with O_DIRECT reads in flight on the slow disk, 20 rounds`, async function () {
      const disk = await sharedSlowDisk();
      if (disk.skipped) skip(this, disk.skipped);
      const slow = [1, 2].map((tag) => writeTagged(path.join(disk.mountPoint, `tagged-${how}-${tag}`), tag, BLOCKS));
      for (const file of slow) execFileSync('sync', [file]);
      disk.setReadDelayMs(25);
      try {
        for (let round = 0; round < 20; round++) {
          const tag = (round % 2) + 1;
          const fd = fs.openSync(slow[tag - 1], O_RDONLY | O_DIRECT);
          const reads = Array.from({ length: 4 }, (_, i) => readLater(fd, BLOCK_BYTES, i * 2));
          const closing = how === 'close' ? closed(fd) : fs.closeSync(fd);
          const other = fs.openSync(slow[2 - tag], O_RDONLY | O_DIRECT);
          for (const outcome of await Promise.all(reads)) expectTagged(outcome, tag, BLOCK_BYTES);
          await closing;
          await closed(other);
        }
      } finally {
        disk.reset();
      }
    });
  }

  it('closeSync does not wait for a read of a FIFO that has nothing to read', async () => {
    const fifo = path.join(directory, 'fifo');
    execFileSync('mkfifo', [fifo]);
    const writer = nodeFs.openSync(fifo, nodeFs.constants.O_RDWR);
    let leastMs = Infinity;
    // The best of five: a wait in closeSync shows each time, a busy machine does not.
    for (let round = 0; round < 5 && leastMs >= 50; round++) {
      const reader = fs.openSync(fifo, nodeFs.constants.O_RDWR);
      const settled = new Promise((resolve) =>
        fs.read(reader, Buffer.alloc(4), 0, 4, null, (...result) => resolve(result)),
      );
      await new Promise((resolve) => setTimeout(resolve, 30)); // the read is with the kernel or with a thread now
      const started = performance.now();
      fs.closeSync(reader);
      leastMs = Math.min(leastMs, performance.now() - started);
      nodeFs.writeSync(writer, 'free'); // lets the blocked thread go
      const [error, bytesRead] = await settled;
      expect(error === null ? bytesRead : error.code).to.be.oneOf([4, 'EBADF', 'ECANCELED']);
    }
    nodeFs.closeSync(writer);
    expect(leastMs, 'ms in closeSync').to.be.below(50);
  });
});
