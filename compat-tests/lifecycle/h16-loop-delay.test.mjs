// H16: AIO without O_DIRECT blocks in io_submit (43.8 of 43.8 ms), and so do extending O_DIRECT writes and big
// O_DIRECT reads. H29: inline system calls that block (RWF_NOWAIT on a cold fragmented file, open and close on FUSE).
// Rule: what may wait leaves the JavaScript thread. Red when any of it waits on the thread: the disk here answers
// after 300 ms, so a single such call shows as a delay of 300 ms or more.
import nodeFs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import fs from 'ioengine/fs';
import { skip } from '../helpers/backend.mjs';
import { withFreeLoop } from '../helpers/events.mjs';
import { sharedSlowDisk } from '../helpers/slow-disk.mjs';
import { taggedBytes } from './support/tagged.mjs';

const DELAY_MS = 300;
const BOUND_MS = DELAY_MS / 2; // half of what one wait would cost, and above a busy machine's usual hiccups

describe('H16, H29: the event loop goes on while the disk is slow', () => {
  let disk;

  before(async function () {
    disk = await sharedSlowDisk();
    if (disk.skipped) skip(this, disk.skipped);
  });
  afterEach(() => disk.skipped ?? disk.reset());

  /** A test whose body gets `slowly(work)`: the work on the slow disk, measured; and the round, for names of files. */
  function free(title, body) {
    it(title, () =>
      withFreeLoop(async (measure, round) => {
        const slowly = async (work) => {
          disk.setDelayMs(DELAY_MS);
          const { elapsedMs, result } = await measure(work, BOUND_MS);
          disk.reset();
          expect(elapsedMs, 'ms in all: the disk was really waited for').to.be.above(DELAY_MS * 0.9);
          return result;
        };
        await body(slowly, round);
      }),
    );
  }

  free('buffered cold reads', async (slowly) => {
    const files = Array.from({ length: 8 }, (_, i) => disk.writeCold(`cold-${i}`, taggedBytes(16, 64)));
    const handles = await Promise.all(files.map((file) => fs.open(file, 'r')));
    const counts = await slowly(() =>
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

  free('a cold read right after cached reads of the same file', async (slowly) => {
    const file = disk.writeCold('warm-then-cold', taggedBytes(16, 1024));
    const handle = await fs.open(file, 'r');
    for (let i = 0; i < 100; i++) await handle.read(Buffer.alloc(4096), 0, 4096, 0);
    await slowly(() => handle.read(Buffer.alloc(65_536), 0, 65_536, 3 * 1024 * 1024));
    await handle.close();
  });

  free('readFile of cold files', async (slowly) => {
    const files = Array.from({ length: 8 }, (_, i) => disk.writeCold(`cold-whole-${i}`, taggedBytes(16, 4)));
    const contents = await slowly(() => Promise.all(files.map((file) => fs.promises.readFile(file))));
    for (const content of contents) expect(content.equals(taggedBytes(16, 4))).to.equal(true);
  });

  free('O_DIRECT writes that extend the file', async (slowly, round) => {
    const file = path.join(disk.mountPoint, `extended-${round}`);
    const handle = await fs.open(file, { flags: 'w', direct: true });
    await slowly(() =>
      Promise.all(
        Array.from({ length: 8 }, (_, i) => handle.write(taggedBytes(16, 16, i * 16), 0, 65_536, i * 65_536)),
      ),
    );
    await handle.close();
    expect(nodeFs.readFileSync(file).equals(taggedBytes(16, 128))).to.equal(true);
  });

  free('large O_DIRECT reads and writes', async (slowly) => {
    const bytes = taggedBytes(16, 4096);
    const file = disk.writeCold('large', bytes);
    const handle = await fs.open(file, { flags: 'r+', direct: true });
    const buffer = Buffer.alloc(bytes.length);
    await slowly(() => handle.read(buffer, 0, buffer.length, 0));
    expect(buffer.equals(bytes)).to.equal(true);
    await slowly(() => handle.write(bytes, 0, bytes.length, 0));
    await handle.close();
  });

  free('fsync of dirty pages', async (slowly) => {
    const handle = await fs.open(path.join(disk.mountPoint, 'synced'), 'w');
    await handle.write(taggedBytes(16, 64), 0, 64 * 4096, 0);
    await slowly(() => handle.sync());
    await handle.close();
  });

  free('open, read and close of a file whose very open is slow (FUSE)', async (slowly) => {
    disk.setMetaDelayMs(DELAY_MS);
    await slowly(async () => {
      const handle = await fs.open(disk.fuseFile, 'r');
      await handle.read(Buffer.alloc(4096), 0, 4096, 0);
      await handle.close();
    });
  });

  free('a stream over a cold file', async (slowly) => {
    const bytes = taggedBytes(16, 256);
    const file = disk.writeCold('streamed', bytes);
    const chunks = await slowly(async () => {
      const list = [];
      for await (const chunk of fs.createReadStream(file)) list.push(chunk);
      return list;
    });
    expect(Buffer.concat(chunks).equals(bytes)).to.equal(true);
  });
});
