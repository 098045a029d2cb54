// H15: short I/O, EINTR, EAGAIN as a completion, the limit of 0x7ffff000 bytes, IOV_MAX, and the arithmetic of
// retrying. Rule: one loop in one place; node:fs on the same file says what the caller gets to see.
// Red when a count is cut to 32 bits, vectors beyond 1,024 are mishandled, or EINTR reaches the caller.
import nodeFs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import fs from 'ioengine/fs';
import { skip } from '../helpers/backend.mjs';
import { runChild } from '../helpers/child.mjs';
import { injection, straceObstacle } from '../helpers/faults.mjs';
import { withFilesystem } from '../helpers/filesystems.mjs';
import { removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';
import { taggedBytes, taggedFault, writeTagged } from './support/tagged.mjs';

const GIB = 1024 ** 3;

describe('H15: large and short requests', () => {
  let directory;
  before(() => {
    directory = temporaryDirectory();
  });
  after(() => removeDirectory(directory));

  function sparse(name, bytes, tagAt) {
    const file = path.join(directory, name);
    const fd = nodeFs.openSync(file, 'w');
    nodeFs.ftruncateSync(fd, bytes);
    nodeFs.writeSync(fd, taggedBytes(15, 1), 0, 4096, tagAt);
    nodeFs.closeSync(fd);
    return file;
  }

  it('one readv of 2.5 GiB gives what node gives', async function () {
    const tmpfs = await withFilesystem('tmpfs'); // a hole there costs no memory
    if (tmpfs.skipped) skip(this, tmpfs.skipped);
    const file = path.join(tmpfs.dir, 'sparse');
    nodeFs.writeFileSync(file, '');
    nodeFs.truncateSync(file, 3 * GIB);
    const piece = new Uint8Array(64 * 1024 * 1024); // the same memory 40 times: 2.5 GiB asked for, 64 MiB used
    const vectors = Array(40).fill(piece);
    const [theirs, mine] = [await nodeFs.promises.open(file), await fs.open(file, 'r')];
    const wanted = (await theirs.readv(vectors, 0)).bytesRead;
    const { bytesRead } = await mine.readv(vectors, 0);
    await Promise.all([theirs.close(), mine.close()]);
    nodeFs.unlinkSync(file);
    expect(wanted).to.equal(0x7ffff000);
    expect(bytesRead).to.equal(wanted);
  });

  for (const direct of [false, true]) {
    it(`bytes behind 2 GiB and 4 GiB are read and written where they belong (direct: ${direct})`, async () => {
      for (const [i, at] of [2 * GIB, 4 * GIB, 5 * GIB + 4096].entries()) {
        const file = sparse(`far-${direct}-${i}`, 6 * GIB, at);
        const handle = await fs.open(file, { flags: 'r+', direct: direct && 'try' });
        const buffer = Buffer.alloc(8192);
        const { bytesRead } = await handle.read(buffer, 0, 8192, at);
        expect(bytesRead).to.equal(8192);
        expect(taggedFault(buffer.subarray(0, 4096), 15, 0)).to.equal(undefined);
        await handle.write(taggedBytes(16, 1), 0, 4096, at + 4096);
        await handle.close();
        const fd = nodeFs.openSync(file, 'r');
        nodeFs.readSync(fd, buffer, 0, 4096, at + 4096);
        nodeFs.closeSync(fd);
        expect(taggedFault(buffer.subarray(0, 4096), 16, 0)).to.equal(undefined);
        expect(nodeFs.statSync(file).size).to.equal(6 * GIB);
      }
    });
  }

  it('readFile of more than 2 GiB is refused as node refuses it', async () => {
    const file = sparse('too-large', 2 * GIB + 4096, 0);
    const outcome = (promise) =>
      promise.then(
        () => 'read',
        ({ code, message }) => `${code} ${message}`,
      );
    expect(await outcome(fs.promises.readFile(file))).to.equal(await outcome(nodeFs.promises.readFile(file)));
  });

  for (const count of [1, 1023, 1024, 1025, 3000]) {
    it(`readv and writev with ${count} vectors give what node gives`, async () => {
      const data = taggedBytes(15, 13).subarray(0, 51_000); // 17 bytes for each of 3,000 vectors
      const read = async (api, name) => {
        const file = path.join(directory, `vectors-${count}-${name}`);
        nodeFs.writeFileSync(file, data);
        const handle = await api.open(file, 'r+');
        const into = Array.from({ length: count }, () => Buffer.alloc(17));
        const { bytesRead } = await handle.readv(into, 0).catch((error) => ({ bytesRead: error.code }));
        const from = Array.from({ length: count }, (_, i) => Buffer.alloc(13, i));
        const { bytesWritten } = await handle.writev(from, 5).catch((error) => ({ bytesWritten: error.code }));
        await handle.close();
        return { bytesRead, bytesWritten, into: Buffer.concat(into), after: nodeFs.readFileSync(file) };
      };
      expect(await read(fs.promises, 'ours')).to.deep.equal(await read(nodeFs.promises, 'node'));
    });
  }

  it('reads across the end of the file are short, and never past it', async () => {
    const file = writeTagged(path.join(directory, 'short'), 15, 3);
    const handle = await fs.open(file, 'r');
    for (const [at, wanted] of [
      [0, 12_288],
      [1, 12_287],
      [12_287, 1],
      [12_288, 0],
      [20_000, 0],
    ]) {
      const buffer = Buffer.alloc(65_536, 0xa5);
      const { bytesRead } = await handle.read(buffer, 100, 65_000, at);
      expect(bytesRead).to.equal(wanted);
      expect(
        buffer.subarray(100 + wanted).every((byte) => byte === 0xa5),
        'bytes behind the count',
      ).to.equal(true);
      expect(
        buffer.subarray(0, 100).every((byte) => byte === 0xa5),
        'bytes before the offset',
      ).to.equal(true);
    }
    await handle.close();
  });

  // Only system calls on this file are tampered with. libuv repeats EINTR for most of them (a read's it passes on); we
  // repeat it for all, on every lane.
  const calls = 'read,pread64,readv,preadv,preadv2,write,pwrite64,writev,pwritev,pwritev2';
  for (const fault of [
    { error: 'EINTR', when: '1..3' },
    { error: 'EINTR', when: '2+3' },
  ]) {
    it(`plain system calls fail with ${injection('…', fault)}`, async function () {
      const obstacle = straceObstacle();
      if (obstacle) skip(this, obstacle);
      const file = writeTagged(path.join(directory, 'eintr'), 15, 16);
      const child = await runChild({
        args: [file, new URL('./support/tagged.mjs', import.meta.url).href],
        strace: { path: file, trace: calls, inject: injection(calls, fault) },
        code: `
          import fs from 'ioengine/fs';
          const { taggedBytes, taggedFault } = await import(process.argv[2]);
          const faults = [];
          const handle = await fs.open(process.argv[1], 'r+');
          for (let i = 0; i < 16; i++) {
            const buffer = Buffer.alloc(4096);
            const { bytesRead } = await handle.read(buffer, 0, 4096, i * 4096);
            faults.push(bytesRead === 4096 ? taggedFault(buffer, 15, i) : bytesRead);
            const { bytesWritten } = await handle.write(taggedBytes(15, 1, i), 0, 4096, i * 4096);
            if (bytesWritten !== 4096) faults.push(bytesWritten);
          }
          faults.push(taggedFault(await fs.promises.readFile(process.argv[1]), 15));
          await handle.close();
          console.log(JSON.stringify(faults.filter((fault) => fault !== undefined)));`,
      });
      expect(child.status, child.describe()).to.equal(0);
      expect(child.json()).to.deep.equal([]);
    });
  }
});
