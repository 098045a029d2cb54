// H17: RWF_NOWAIT says "cannot" in four places: a submit error, a completion EOPNOTSUPP, a completion EAGAIN, and a
// short positive result (64 KiB with one page cached returned 4,096).
// Rule: such a short result is never reported as short or as the end of the file; the rest is read. Red when the count
// of the cached pages is handed to the caller.
import { execFileSync } from 'node:child_process';
import nodeFs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import fs from 'ioengine/fs';
import { skip } from '../helpers/backend.mjs';
import { filesystemKinds, withFilesystem } from '../helpers/filesystems.mjs';
import { cachedBytes, evict } from '../helpers/slow-disk.mjs';
import { taggedBytes } from './support/tagged.mjs';

const BYTES = 65_536;
const content = taggedBytes(17, BYTES / 4096);

// Which of the 16 pages are in the page cache when the read comes.
const layouts = {
  'the first page': [0],
  'the first three pages': [0, 1, 2],
  'a page in the middle': [8],
  'the last page': [15],
  'no page': [],
};

function makePartlyCached(file, pages) {
  nodeFs.writeFileSync(file, content);
  evict(file);
  // A write of a whole page puts this page alone into the cache, without the read-ahead that a read would cause.
  const fd = nodeFs.openSync(file, 'r+');
  for (const page of pages) nodeFs.writeSync(fd, content, page * 4096, 4096, page * 4096);
  nodeFs.fsyncSync(fd);
  nodeFs.closeSync(fd);
}

const promised = (call) =>
  new Promise((resolve, reject) => call((error, count) => (error ? reject(error) : resolve(count))));

const readers = {
  'FileHandle.read': async (file) => {
    const handle = await fs.open(file, 'r');
    const buffer = Buffer.alloc(BYTES);
    const { bytesRead } = await handle.read(buffer, 0, BYTES, 0);
    await handle.close();
    return buffer.subarray(0, bytesRead);
  },
  'FileHandle.read at the current position': async (file) => {
    const handle = await fs.open(file, 'r');
    const buffer = Buffer.alloc(BYTES);
    const { bytesRead } = await handle.read(buffer, 0, BYTES, null);
    const { bytesRead: behind } = await handle.read(Buffer.alloc(1), 0, 1, null);
    await handle.close();
    expect(behind, 'bytes behind the end: the position moved by as much as was read').to.equal(0);
    return buffer.subarray(0, bytesRead);
  },
  'fs.read': async (file) => {
    const fd = fs.openSync(file, 'r');
    const buffer = Buffer.alloc(BYTES);
    const count = await promised((done) => fs.read(fd, buffer, 0, BYTES, 0, done));
    fs.closeSync(fd);
    return buffer.subarray(0, count);
  },
  'FileHandle.readv': async (file) => {
    const handle = await fs.open(file, 'r');
    const vectors = Array.from({ length: 7 }, (_, i) => Buffer.alloc(i === 6 ? BYTES - 6 * 10_000 : 10_000));
    const { bytesRead } = await handle.readv(vectors, 0);
    await handle.close();
    return Buffer.concat(vectors).subarray(0, bytesRead);
  },
  readFile: (file) => fs.promises.readFile(file),
  createReadStream: async (file) => {
    const chunks = [];
    for await (const chunk of fs.createReadStream(file, { highWaterMark: BYTES })) chunks.push(chunk);
    return Buffer.concat(chunks);
  },
  'several at once': async (file) => {
    const handle = await fs.open(file, 'r');
    const buffer = Buffer.alloc(BYTES);
    const reads = Array.from({ length: 4 }, (_, i) => handle.read(buffer, i * 16_384, 16_384, i * 16_384));
    const total = (await Promise.all(reads)).reduce((sum, { bytesRead }) => sum + bytesRead, 0);
    await handle.close();
    return buffer.subarray(0, total);
  },
};

describe('H17: a partly cached 64 KiB file is read whole', () => {
  for (const kind of filesystemKinds) {
    for (const [layout, pages] of Object.entries(layouts)) {
      it(`${kind}, cached: ${layout}`, async function () {
        const filesystem = await withFilesystem(kind);
        if (filesystem.skipped) skip(this, filesystem.skipped);
        for (const [name, read] of Object.entries(readers)) {
          const file = path.join(filesystem.dir, `${layout}-${name}`.replaceAll(' ', '-'));
          makePartlyCached(file, pages);
          // The test proves something only where the cache really is as said; tmpfs has everything in memory.
          const cached = kind === 'tmpfs' || kind === 'overlayfs' ? undefined : cachedBytes(file);
          if (cached !== undefined) expect(cached, 'bytes in the page cache beforehand').to.equal(pages.length * 4096);
          const bytes = await read(file);
          expect(bytes.length, name).to.equal(BYTES);
          expect(bytes.equals(content), `${name}: wrong bytes`).to.equal(true);
        }
      });
    }
  }

  it('a file of the lower layer of an overlayfs', async function () {
    const overlay = await withFilesystem('overlayfs');
    if (overlay.skipped) skip(this, overlay.skipped);
    const file = path.join(overlay.mountPoint, 'from-lower.txt');
    const wanted = nodeFs.readFileSync(file);
    for (const [name, read] of Object.entries(readers)) {
      if (name === 'several at once') continue; // it reads parts of 16 KiB, and this file is a short one
      expect((await read(file)).equals(wanted), name).to.equal(true);
    }
  });

  it('a block device', async function () {
    const ext4 = await withFilesystem('ext4');
    if (ext4.skipped) skip(this, ext4.skipped);
    const device = execFileSync('findmnt', ['-n', '-o', 'SOURCE', ext4.mountPoint], { encoding: 'utf8' }).trim();
    const wanted = Buffer.alloc(BYTES);
    const fd = nodeFs.openSync(device, 'r');
    nodeFs.readSync(fd, wanted, 0, BYTES, 4 * 1024 * 1024);
    nodeFs.closeSync(fd);
    evict(device);
    const handle = await fs.open(device, 'r');
    const buffer = Buffer.alloc(BYTES);
    const { bytesRead } = await handle.read(buffer, 0, BYTES, 4 * 1024 * 1024);
    await handle.close();
    expect(bytesRead).to.equal(BYTES);
    expect(buffer.equals(wanted)).to.equal(true);
  });
});
