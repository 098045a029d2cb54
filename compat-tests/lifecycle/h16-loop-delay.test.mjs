// H16: AIO without O_DIRECT blocks in io_submit (43.8 of 43.8 ms), and so do extending O_DIRECT writes and big
// O_DIRECT reads. H29: inline system calls that block (RWF_NOWAIT on a cold fragmented file, open and close on FUSE).
// Rule: what may wait leaves the JavaScript thread. Red when any of it waits on the thread: the disk here answers
// after 200 ms, so a single such call shows as a delay of 200 ms or more.
import nodeFs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import fs from 'ioengine/fs';
import { skip } from '../helpers/backend.mjs';
import { measureLoopDelay } from '../helpers/events.mjs';
import { sharedSlowDisk } from '../helpers/slow-disk.mjs';
import { taggedBytes } from './support/tagged.mjs';

const DELAY_MS = 200;
const BOUND_MS = DELAY_MS / 2; // half of what one wait would cost, and far above a busy machine's hiccups

describe('H16, H29: the event loop goes on while the disk is slow', function () {
  this.timeout(60_000);
  let disk;

  before(async function () {
    disk = await sharedSlowDisk();
    if (disk.skipped) skip(this, disk.skipped);
  });
  afterEach(() => disk.skipped ?? disk.reset());

  async function expectFreeLoop(work) {
    disk.setDelayMs(DELAY_MS);
    const { maxMs, elapsedMs, result } = await measureLoopDelay(work);
    disk.reset();
    expect(elapsedMs, 'ms in all: the disk was really waited for').to.be.above(DELAY_MS * 0.9);
    expect(maxMs, 'ms for which a 1 ms timer was held up').to.be.below(BOUND_MS);
    return result;
  }

  it('buffered cold reads', async () => {
    const files = Array.from({ length: 8 }, (_, i) => disk.writeCold(`cold-${i}`, taggedBytes(16, 64)));
    const handles = await Promise.all(files.map((file) => fs.open(file, 'r')));
    const counts = await expectFreeLoop(() =>
      Promise.all(
        handles.flatMap((handle) =>
          [0, 20, 40].map(
            async (block) => (await handle.read(Buffer.alloc(16_384), 0, 16_384, block * 4096)).bytesRead,
          ),
        ),
      ),
    );
    expect(counts).to.deep.equal(Array(24).fill(16_384));
    await Promise.all(handles.map((handle) => handle.close()));
  });

  it('a cold read right after cached reads of the same file', async () => {
    const file = disk.writeCold('warm-then-cold', taggedBytes(16, 1024));
    const handle = await fs.open(file, 'r');
    for (let i = 0; i < 100; i++) await handle.read(Buffer.alloc(4096), 0, 4096, 0);
    await expectFreeLoop(() => handle.read(Buffer.alloc(65_536), 0, 65_536, 3 * 1024 * 1024));
    await handle.close();
  });

  it('readFile of cold files', async () => {
    const files = Array.from({ length: 8 }, (_, i) => disk.writeCold(`cold-whole-${i}`, taggedBytes(16, 4)));
    const contents = await expectFreeLoop(() => Promise.all(files.map((file) => fs.promises.readFile(file))));
    for (const content of contents) expect(content.equals(taggedBytes(16, 4))).to.equal(true);
  });

  it('O_DIRECT writes that extend the file', async () => {
    const file = path.join(disk.mountPoint, 'extended');
    const handle = await fs.open(file, { flags: 'w', direct: true });
    await expectFreeLoop(() =>
      Promise.all(
        Array.from({ length: 8 }, (_, i) => handle.write(taggedBytes(16, 16, i * 16), 0, 65_536, i * 65_536)),
      ),
    );
    await handle.close();
    expect(nodeFs.readFileSync(file).equals(taggedBytes(16, 128))).to.equal(true);
  });

  it('large O_DIRECT reads and writes', async () => {
    const bytes = taggedBytes(16, 4096);
    const file = disk.writeCold('large', bytes);
    const handle = await fs.open(file, { flags: 'r+', direct: true });
    const buffer = Buffer.alloc(bytes.length);
    await expectFreeLoop(() => handle.read(buffer, 0, buffer.length, 0));
    expect(buffer.equals(bytes)).to.equal(true);
    await expectFreeLoop(() => handle.write(bytes, 0, bytes.length, 0));
    await handle.close();
  });

  it('fsync of dirty pages', async () => {
    const handle = await fs.open(path.join(disk.mountPoint, 'synced'), 'w');
    await handle.write(taggedBytes(16, 64), 0, 64 * 4096, 0);
    await expectFreeLoop(() => handle.sync());
    await handle.close();
  });

  it('open, read and close of a file whose very open is slow (FUSE)', async () => {
    disk.setMetaDelayMs(DELAY_MS);
    await expectFreeLoop(async () => {
      const handle = await fs.open(disk.fuseFile, 'r');
      await handle.read(Buffer.alloc(4096), 0, 4096, 0);
      await handle.close();
    });
  });

  it('a stream over a cold file', async () => {
    const bytes = taggedBytes(16, 256);
    const file = disk.writeCold('streamed', bytes);
    const chunks = await expectFreeLoop(async () => {
      const list = [];
      for await (const chunk of fs.createReadStream(file)) list.push(chunk);
      return list;
    });
    expect(Buffer.concat(chunks).equals(bytes)).to.equal(true);
  });
});
