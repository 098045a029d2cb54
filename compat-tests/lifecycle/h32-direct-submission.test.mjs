// H32: io_submit(2) and io_uring_enter(2) wait inside the call that only hands a direct request over: for a free tag
// of the device where more are in flight than it has (nr_requests), and io_submit also for the inode lock that another
// writer holds, and until dirty pages in the range are written out. Rules: direct requests in flight are bounded per
// device; on AIO they carry RWF_NOWAIT and the pool waits. Red when the event loop stands still meanwhile.
import nodeFs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import fs from 'ioengine/fs';
import { alignedBuffer } from 'ioengine';
import { backendUnderTest, skip } from '../helpers/backend.mjs';
import { withFreeLoop } from '../helpers/events.mjs';
import { evict, sharedSlowDisk } from '../helpers/slow-disk.mjs';
import { removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';
import { taggedBytes } from './support/tagged.mjs';

const BLOCK = 4096;
const DELAY_MS = 300;
const BOUND_MS = 150;
const { O_RDWR, O_DIRECT } = fs.constants;

function makeFile(file, content) {
  nodeFs.writeFileSync(file, content);
  const fd = nodeFs.openSync(file, 'r');
  nodeFs.fsyncSync(fd);
  nodeFs.closeSync(fd);
  return file;
}

describe('H32: handing a direct request over waits for nothing', () => {
  let disk;
  let directory;
  before(async function () {
    disk = await sharedSlowDisk();
    if (disk.skipped) skip(this, disk.skipped);
    directory = temporaryDirectory();
  });
  afterEach(() => disk.reset?.());
  after(() => directory && removeDirectory(directory));

  /** How many requests the device takes before it lets the next one wait. */
  const tags = () => {
    const queue = `/sys/block/${path.basename(disk.device)}/queue/nr_requests`;
    return Number(nodeFs.readFileSync(queue, 'latin1'));
  };

  for (const operation of ['read', 'write']) {
    it(`twice as many ${operation}s as the device has tags`, async function () {
      if (backendUnderTest === 'threads') skip(this, 'because the threads of the pool are fewer than the tags');
      this.timeout(0);
      const count = 2 * tags();
      // Every other block: adjacent ones would become one request.
      const content = taggedBytes(32, 2 * count);
      const file = makeFile(path.join(disk.mountPoint, `tags-${operation}`), content);
      const elsewhere = makeFile(path.join(directory, 'elsewhere'), content);
      const handle = await fs.promises.open(file, O_RDWR | O_DIRECT);
      const others = await Promise.all([
        fs.promises.open(elsewhere, 'r'),
        fs.promises.open(elsewhere, O_RDWR | O_DIRECT).catch(() => fs.promises.open(elsewhere, 'r')),
      ]);
      const buffers = Array.from({ length: count }, () => alignedBuffer(BLOCK));
      const small = alignedBuffer(BLOCK);
      await handle.read(small, 0, BLOCK, 0); // the extents are in memory now
      await withFreeLoop(async (measure, round) => {
        const at = (i) => 2 * i * BLOCK;
        evict(file); // AIO leaves writes to ranges in the page cache to the pool
        if (operation === 'write') for (const [i, buffer] of buffers.entries()) buffer.fill(1 + ((i + round) % 250));
        disk.setDelayMs(DELAY_MS);
        let left = count;
        const { elapsedMs } = await measure(async () => {
          const all = buffers.map(async (buffer, i) => {
            const { bytesRead, bytesWritten } = await handle[operation](buffer, 0, BLOCK, at(i));
            expect(bytesRead ?? bytesWritten).to.equal(BLOCK);
            left--;
          });
          // What has nothing to do with that device does not wait for it.
          for (const other of others) {
            await other.read(small, 0, BLOCK, BLOCK);
            expect(small.equals(content.subarray(BLOCK, 2 * BLOCK)), 'bytes of another file').to.equal(true);
          }
          expect(left, `${operation}s that are still to come`).to.be.above(0);
          await Promise.all(all);
        }, BOUND_MS);
        expect(elapsedMs, 'ms for all: the control').to.be.above(1.5 * DELAY_MS);
        disk.reset();
        const found = nodeFs.readFileSync(file);
        for (const [i, buffer] of buffers.entries()) {
          const there = found.subarray(at(i), at(i) + BLOCK);
          if (!buffer.equals(there)) throw new Error(`wrong bytes in block ${2 * i}`);
        }
      });
      await Promise.all([handle, ...others].map((each) => each.close()));
    });
  }

  const waits = {
    'dirty pages in the range are written out': async (file) => {
      const writer = nodeFs.openSync(file, 'r+');
      nodeFs.writeSync(writer, Buffer.alloc(BLOCK, 'd'), 0, BLOCK, 0);
      return () => nodeFs.closeSync(writer);
    },
    // A direct write that extends the file keeps the lock until the disk has the bytes.
    'another writer holds the inode lock': async (file) => {
      const writer = nodeFs.openSync(file, O_RDWR | O_DIRECT);
      const buffer = alignedBuffer(BLOCK);
      const { size } = nodeFs.fstatSync(writer);
      const writing = new Promise((resolve, reject) => {
        nodeFs.write(writer, buffer, 0, BLOCK, size, (error) => (error ? reject(error) : resolve()));
      });
      const before = disk.counters().writes;
      while (disk.counters().in_flight === 0 && disk.counters().writes === before) {
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      return async () => {
        await writing;
        nodeFs.closeSync(writer);
      };
    },
  };
  for (const [name, start] of Object.entries(waits)) {
    for (const operation of ['read', 'write']) {
      it(`a ${operation} while ${name}`, async function () {
        this.timeout(0);
        const content = taggedBytes(33, 16);
        const file = makeFile(path.join(disk.mountPoint, `waits-${operation}`), content);
        const handle = await fs.promises.open(file, O_RDWR | O_DIRECT);
        const buffer = alignedBuffer(BLOCK);
        await handle.read(buffer, 0, BLOCK, 0);
        await withFreeLoop(async (measure, round) => {
          disk.setDelayMs(DELAY_MS);
          const end = await start(file);
          buffer.fill(100 + round);
          const { elapsedMs } = await measure(async () => {
            const { bytesRead, bytesWritten } = await handle[operation](buffer, 0, BLOCK, 0);
            expect(bytesRead ?? bytesWritten).to.equal(BLOCK);
          }, BOUND_MS);
          expect(elapsedMs, `ms for the ${operation}: the control`).to.be.above(DELAY_MS / 2);
          await end();
          disk.reset();
          expect(nodeFs.readFileSync(file).subarray(0, BLOCK).equals(buffer), 'bytes of the block').to.equal(true);
        });
        await handle.close();
      });
    }
  }
});
