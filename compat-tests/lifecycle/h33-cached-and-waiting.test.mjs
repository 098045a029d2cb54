// H33: calls that wait although everything they ask for is in memory: reads that update the access time while the
// journal is committed, closes that write the file out (ext4 after a truncate and a rewrite) or ask a FUSE server
// (overlayfs), mounts that have changed behind a device number. Rule: the JavaScript thread does none of them; to be
// told that it may, the engine asks the kernel's caches. Red when such a call is answered inline.
import { spawn } from 'node:child_process';
import nodeFs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import fs from 'ioengine/fs';
import { stats } from 'ioengine';
import { Resource, run } from '../fixtures/resource.mjs';
import { skip } from '../helpers/backend.mjs';
import { eventually, withFreeLoop } from '../helpers/events.mjs';
import { openSlowDisk, sharedSlowDisk } from '../helpers/slow-disk.mjs';
import { removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';

const DELAY_MS = 300;
const BOUND_MS = 150;
const SIZE = 8192;

const inlineOperations = () => stats().lanes.inline.operations;

/** How many operations `work` added to the inline lane. */
async function inlineDuring(work) {
  const before = inlineOperations();
  await work();
  return inlineOperations() - before;
}

describe('H33: what is in memory and has to wait all the same', () => {
  let directory;
  before(() => {
    directory = temporaryDirectory();
  });
  after(() => removeDirectory(directory));

  describe('reads that update the access time', () => {
    const accessIsOlder = (file) => {
      const { atimeNs, mtimeNs } = nodeFs.statSync(file, { bigint: true });
      return atimeNs <= mtimeNs;
    };
    /** Written by somebody else, later than the last access. */
    async function rewrite(file) {
      do {
        await sleep(5);
        nodeFs.writeFileSync(file, Buffer.alloc(SIZE, 'x'), { flag: 'r+' });
      } while (!accessIsOlder(file));
      // Cached and clean: nothing but the access time is in the way.
      const fd = nodeFs.openSync(file, 'r');
      nodeFs.fsyncSync(fd);
      nodeFs.closeSync(fd);
    }

    const readers = {
      'FileHandle.read': async (file) => {
        const handle = await fs.promises.open(file, 'r');
        const buffer = Buffer.alloc(SIZE);
        return { read: () => handle.read(buffer, 0, SIZE, 0), close: () => handle.close() };
      },
      'promises.readFile': (file) => ({ read: () => fs.promises.readFile(file), close: () => undefined }),
    };
    for (const [name, make] of Object.entries(readers)) {
      it(`${name}: the first read after a write goes where waiting is allowed, the next is inline`, async function () {
        const file = path.join(directory, `times-${name}`);
        nodeFs.writeFileSync(file, Buffer.alloc(SIZE, 'x'));
        nodeFs.utimesSync(file, 1, 2);
        nodeFs.readFileSync(file);
        if (accessIsOlder(file)) skip(this, 'because the folder for temporary files keeps no access times');
        const { read, close } = await make(file);
        await rewrite(file);
        await read();
        await eventually(async () => (await inlineDuring(read)) === 1, 'an inline read'); // the control
        await rewrite(file);
        expect(await inlineDuring(read), 'inline reads of a file whose access time is due').to.equal(0);
        await eventually(async () => (await inlineDuring(read)) === 1, 'an inline read again');
        await close();
      });
    }

    it('the event loop does not wait for the journal', async function () {
      this.timeout(0);
      const disk = await openSlowDisk({ journal: true });
      if (disk.skipped) skip(this, disk.skipped);
      const neighbour = path.join(disk.mountPoint, 'neighbour');
      const file = path.join(disk.mountPoint, 'file');
      nodeFs.writeFileSync(neighbour, 'x');
      nodeFs.writeFileSync(file, Buffer.alloc(SIZE, 'x'));
      const handle = await fs.promises.open(file, 'r');
      const buffer = Buffer.alloc(SIZE);
      for (let i = 0; i < 9; i++) await handle.read(buffer, 0, SIZE, 0);
      disk.set({ delay_ms: DELAY_MS, sync_delay_ms: DELAY_MS });
      const code = `const fs = require('node:fs'); for (;;) { const fd = fs.openSync(process.argv[1], 'a');
        fs.writeSync(fd, 'n'); fs.fsyncSync(fd); fs.closeSync(fd); }`;
      const child = spawn(process.execPath, ['-e', code, neighbour], { stdio: 'ignore' });
      const writer = nodeFs.openSync(file, 'r+');
      try {
        await withFreeLoop(async (measure) => {
          await measure(async () => {
            for (let i = 0; i < 120; i++) {
              await new Promise((resolve) => nodeFs.write(writer, 'z', 0, resolve));
              await sleep(15);
              await handle.read(buffer, 0, SIZE, 0);
            }
          }, BOUND_MS);
        });
      } finally {
        child.kill('SIGKILL');
        disk.reset();
        nodeFs.closeSync(writer);
        await handle.close();
        disk.close();
      }
    });
  });

  describe('closes', () => {
    const closeLane = async (handle) => ((await inlineDuring(() => handle.close())) === 1 ? 'inline' : 'elsewhere');

    it('a file that somebody has cut and written anew is written out by its first close', async function () {
      const file = path.join(directory, 'rewritten');
      nodeFs.writeFileSync(file, 'old');
      const fd = nodeFs.openSync(file, 'r');
      nodeFs.fsyncSync(fd);
      nodeFs.closeSync(fd);
      const clean = await fs.promises.open(file, 'r');
      if ((await closeLane(clean)) !== 'inline') {
        skip(this, 'because this kernel or the folder for temporary files has no inline closes');
      }
      const handle = await fs.promises.open(file, 'r');
      const writer = nodeFs.openSync(file, 'w');
      nodeFs.writeSync(writer, Buffer.alloc(1 << 20, 'x'));
      expect(await closeLane(handle), 'lane of the close').to.equal('elsewhere');
      nodeFs.fsyncSync(writer);
      nodeFs.closeSync(writer);
      const again = await fs.promises.open(file, 'r');
      expect(await closeLane(again), 'lane of the close of a clean file').to.equal('inline');
    });

    it('overlayfs asks the filesystem below it, which may be FUSE', async function () {
      const disk = await sharedSlowDisk();
      if (disk.skipped) skip(this, disk.skipped);
      const resource = new Resource('overlay');
      try {
        const upper = resource.mount(['-t', 'tmpfs', 'none'], resource.path('memory'));
        for (const name of ['upper', 'work']) nodeFs.mkdirSync(path.join(upper, name));
        const layers = `lowerdir=${path.dirname(disk.fuseFile)},upperdir=${upper}/upper,workdir=${upper}/work`;
        let mounted;
        try {
          mounted = resource.mount(['-t', 'overlay', '-o', layers, 'overlay'], resource.path('mounted'));
        } catch (error) {
          skip(this, `because overlayfs on FUSE was refused: ${error.message}`);
        }
        await withFreeLoop(async (measure) => {
          const handle = await fs.promises.open(path.join(mounted, 'disk.img'), 'r');
          await handle.read(Buffer.alloc(10), 0, 10, 0);
          disk.setMetaDelayMs(DELAY_MS);
          await measure(() => handle.close(), BOUND_MS);
          disk.reset();
        });
      } finally {
        disk.reset();
        resource.close();
      }
    });
  });

  it('what is known of a filesystem belongs to its mount, not to its device number', async function () {
    const disk = await sharedSlowDisk();
    if (disk.skipped) skip(this, disk.skipped);
    const resource = new Resource('mounts');
    try {
      const image = resource.path('image');
      nodeFs.writeFileSync(image, '');
      nodeFs.truncateSync(image, 16 << 20);
      run('mkfs.ext4', ['-q', '-F', image]);
      const device = resource.attachLoop(image);
      const target = resource.mount(['-t', 'ext4', device], resource.path('target'));
      const ask = () => fs.promises.stat(target);
      await eventually(async () => (await inlineDuring(ask)) === 1, 'an inline answer');
      run('umount', [target]);
      run('mount', ['-t', 'ext4', device, target]);
      expect(await inlineDuring(ask), 'inline answers on a mount that nobody has looked at').to.equal(0);
      await eventually(async () => (await inlineDuring(ask)) === 1, 'an inline answer');
    } finally {
      resource.close();
    }
  });
});
