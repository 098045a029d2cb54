// H27: 4 uring reads at offset -1 in flight all read block 0; uring O_DIRECT at -1 never moves the position; AIO at -1
// is EINVAL; 64 appends in flight came out of order 50 of 50 times.
// Rule: at most one current-position or append operation in flight per descriptor, in call order. Red when two of them
// overlap: blocks are read twice or left out, or what was appended is not in the order of the calls.
import nodeFs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import fs from 'ioengine/fs';
import { skip } from '../helpers/backend.mjs';
import { withFilesystem } from '../helpers/filesystems.mjs';
import { sharedSlowDisk } from '../helpers/slow-disk.mjs';
import { removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';
import { BLOCK_BYTES, taggedBytes, taggedFault, writeTagged } from './support/tagged.mjs';

const BLOCKS = 64;
const numbered = (i) => Buffer.from(`${String(i).padStart(7, '0')}\n`);
const inOrder = (count) => Buffer.concat(Array.from({ length: count }, (_, i) => numbered(i)));

describe('H27: the file position and appends', () => {
  let directory;
  let count = 0;
  before(() => {
    directory = temporaryDirectory();
  });
  after(() => removeDirectory(directory));

  const fresh = () => path.join(directory, `file-${count++}`);
  const promised = (call) => new Promise((resolve, reject) => call((error, n) => (error ? reject(error) : resolve(n))));

  async function readAllAtOnce(handle) {
    const buffers = Array.from({ length: BLOCKS + 2 }, () => Buffer.alloc(BLOCK_BYTES));
    const reads = buffers.map((buffer) => handle.read(buffer, 0, BLOCK_BYTES, null));
    const counts = (await Promise.all(reads)).map(({ bytesRead }) => bytesRead);
    expect(counts).to.deep.equal([...Array(BLOCKS).fill(BLOCK_BYTES), 0, 0]);
    for (let block = 0; block < BLOCKS; block++) {
      expect(taggedFault(buffers[block], 27, block), `read number ${block}`).to.equal(undefined);
    }
  }

  for (const direct of [false, 'try']) {
    it(`64 current-position reads in flight get consecutive blocks in call order (direct: ${direct})`, async () => {
      const handle = await fs.open(writeTagged(fresh(), 27, BLOCKS), { flags: 'r', direct });
      await readAllAtOnce(handle);
      await handle.close();
    });

    it(`the same on the slow disk (direct: ${direct})`, async function () {
      const disk = await sharedSlowDisk();
      if (disk.skipped) skip(this, disk.skipped);
      const handle = await fs.open(disk.writeCold(`position-${direct}`, taggedBytes(27, BLOCKS)), {
        flags: 'r',
        direct,
      });
      disk.setReadDelayMs(5);
      await readAllAtOnce(handle);
      disk.reset();
      await handle.close();
    });

    it(`64 current-position writes in flight land in call order (direct: ${direct})`, async () => {
      const file = fresh();
      nodeFs.writeFileSync(file, '');
      const handle = await fs.open(file, { flags: 'r+', direct });
      await Promise.all(Array.from({ length: BLOCKS }, (_, i) => handle.write(numbered(i), 0, 8, null)));
      await handle.close();
      expect(nodeFs.readFileSync(file, 'latin1')).to.equal(inOrder(BLOCKS).toString('latin1'));
    });

    it(`1,000 appends in flight land in call order (direct: ${direct})`, async () => {
      const file = fresh();
      const handle = await fs.open(file, { flags: 'a', direct });
      await Promise.all(Array.from({ length: 1000 }, (_, i) => handle.write(numbered(i))));
      await handle.close();
      expect(nodeFs.readFileSync(file, 'latin1')).to.equal(inOrder(1000).toString('latin1'));
    });
  }

  for (const kind of ['ext4', 'xfs', 'tmpfs']) {
    it(`64 appends in flight, 20 files on ${kind}`, async function () {
      const filesystem = await withFilesystem(kind);
      if (filesystem.skipped) skip(this, filesystem.skipped);
      for (let round = 0; round < 20; round++) {
        const file = path.join(filesystem.dir, `appended-${round}`);
        const handle = await fs.open(file, 'a');
        await Promise.all(
          // A position is given too: O_APPEND beats it, as it does under node.
          Array.from({ length: 64 }, (_, i) => handle.write(numbered(i), 0, 8, i % 2 === 0 ? null : 0)),
        );
        await handle.close();
        expect(nodeFs.readFileSync(file, 'latin1'), `round ${round}`).to.equal(inOrder(64).toString('latin1'));
      }
    });
  }

  it('fs.write and fs.read with a plain descriptor keep the order too', async () => {
    const file = fresh();
    const fd = fs.openSync(file, 'w+');
    const order = [];
    await Promise.all(
      Array.from({ length: 200 }, (_, i) =>
        promised((done) => fs.write(fd, numbered(i), 0, 8, null, done)).then(() => order.push(i)),
      ),
    );
    expect(order, 'callbacks in call order').to.deep.equal(Array.from({ length: 200 }, (_, i) => i));
    expect(nodeFs.readFileSync(file, 'latin1')).to.equal(inOrder(200).toString('latin1'));
    const other = fs.openSync(file, 'r');
    const buffers = Array.from({ length: 200 }, () => Buffer.alloc(8));
    await Promise.all(buffers.map((buffer) => promised((done) => fs.read(other, buffer, 0, 8, null, done))));
    expect(Buffer.concat(buffers).toString('latin1')).to.equal(inOrder(200).toString('latin1'));
    fs.closeSync(fd);
    fs.closeSync(other);
  });

  it('vectored and plain, current and positional mixed: the position moves by the current ones alone', async () => {
    const file = writeTagged(fresh(), 27, BLOCKS);
    const handle = await fs.open(file, 'r+');
    const whole = nodeFs.readFileSync(file);
    const buffers = Array.from({ length: 40 }, () => Buffer.alloc(100));
    const jobs = buffers.map((buffer, i) => {
      if (i % 4 === 0) return handle.readv([buffer.subarray(0, 30), buffer.subarray(30)]);
      if (i % 4 === 1) return handle.read(buffer, 0, 100, 50_000 + i);
      if (i % 4 === 2) return handle.read(buffer, 0, 100, -1);
      return handle.read(buffer, 0, 100, null);
    });
    await Promise.all(jobs);
    let position = 0;
    for (const [i, buffer] of buffers.entries()) {
      const at = i % 4 === 1 ? 50_000 + i : position;
      if (i % 4 !== 1) position += 100;
      expect(buffer.equals(whole.subarray(at, at + 100)), `operation ${i}, from ${at}`).to.equal(true);
    }
    // What the kernel thinks the position is: other users of the descriptor go on from there.
    const next = Buffer.alloc(10);
    nodeFs.readSync(handle.fd, next, 0, 10, null);
    expect(next.equals(whole.subarray(position, position + 10)), 'the descriptor stands where it should').to.equal(
      true,
    );
    await handle.close();
  });

  it('the same steps one after the other give what node:fs gives', async () => {
    const steps = async (api, file) => {
      writeTagged(file, 27, 4);
      const handle = await api.open(file, 'r+');
      const log = [];
      const read = async (length, position) => {
        const { bytesRead, buffer } = await handle.read(Buffer.alloc(length), 0, length, position);
        log.push(bytesRead, buffer.toString('hex'));
      };
      await read(10, null);
      await read(10, 5);
      await read(10, undefined);
      await read(4096, -1);
      log.push((await handle.write(Buffer.from('one'), 0, 3, null)).bytesWritten);
      log.push((await handle.write('two')).bytesWritten);
      log.push((await handle.write('three', 1)).bytesWritten);
      await read(20, null);
      log.push((await handle.writev([Buffer.from('v'), Buffer.from('ww')])).bytesWritten);
      await handle.truncate(9000);
      await read(100_000, null);
      await read(10, null);
      log.push((await handle.write('end')).bytesWritten);
      await handle.close();
      return { log, content: nodeFs.readFileSync(file, 'hex') };
    };
    expect(await steps(fs.promises, fresh())).to.deep.equal(await steps(nodeFs.promises, fresh()));
  });
});
