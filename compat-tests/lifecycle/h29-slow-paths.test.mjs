// H29: questions about paths that have to wait: for a FUSE server, for a disk that has the directory. Rule: the
// JavaScript thread asks only the kernel's caches, and of what they do not know it asks the pool. Red when stat(2) or
// access(2) runs on the JavaScript thread.
import { expect } from 'chai';
import fs from 'ioengine/fs';
import { stats } from 'ioengine';
import { run } from '../fixtures/resource.mjs';
import { skip } from '../helpers/backend.mjs';
import { withFreeLoop } from '../helpers/events.mjs';
import { evict, openSlowDisk, sharedSlowDisk } from '../helpers/slow-disk.mjs';

const DELAY_MS = 400;
const BOUND_MS = 240;

const viaCallback = (call) =>
  new Promise((resolve, reject) => call((error, value) => (error instanceof Error ? reject(error) : resolve(value))));

const questions = {
  'promises.stat': (file) => fs.promises.stat(file),
  'promises.lstat': (file) => fs.promises.lstat(file, { bigint: true }),
  'promises.access': (file) => fs.promises.access(file),
  'promises.access, R_OK': (file) => fs.promises.access(file, fs.constants.R_OK),
  'fs.stat': (file) => viaCallback((done) => fs.stat(file, done)),
  'fs.exists': (file) => viaCallback((done) => fs.exists(file, done)),
};

describe('H29: paths that have to be waited for do not block the event loop', () => {
  describe('a FUSE server that takes its time', () => {
    for (const [name, ask] of Object.entries(questions)) {
      it(name, async function () {
        const disk = await sharedSlowDisk();
        if (disk.skipped) skip(this, disk.skipped);
        await ask(disk.fuseFile); // the path is in the kernel's caches, for as long as the server allows
        disk.setMetaDelayMs(DELAY_MS);
        try {
          await withFreeLoop(async (measure) => {
            const { elapsedMs } = await measure(() => ask(disk.fuseFile), BOUND_MS);
            expect(elapsedMs, 'time of an answer that the server delays').to.be.least(DELAY_MS * 0.9);
          });
        } finally {
          disk.reset();
        }
      });
    }

    it('FileHandle.stat and fs.fstat', async function () {
      const disk = await sharedSlowDisk();
      if (disk.skipped) skip(this, disk.skipped);
      const handle = await fs.open(disk.fuseFile, 'r');
      disk.setMetaDelayMs(DELAY_MS);
      try {
        await withFreeLoop(async (measure) => {
          await measure(() => handle.stat(), BOUND_MS);
          await measure(() => viaCallback((done) => fs.fstat(handle.fd, done)), BOUND_MS);
        });
      } finally {
        disk.reset();
        await handle.close();
      }
    });
  });

  describe('a disk whose directories are not in memory', () => {
    let disk;
    before(async function () {
      disk = await openSlowDisk();
      if (disk.skipped) skip(this, disk.skipped);
    });
    after(() => {
      if (disk !== undefined && !disk.skipped) disk.close();
    });

    /** Nothing below the mount point is in the kernel's caches afterwards. */
    async function forgetEverything() {
      run('umount', [disk.mountPoint]);
      run('mount', ['-t', 'ext4', '-o', 'noatime', disk.device, disk.mountPoint]);
      // The engine knows the new mount: what it does not know it asks the pool for in any case.
      await fs.promises.stat(disk.mountPoint);
      await fs.promises.stat(disk.mountPoint);
    }

    const readers = {
      'promises.readFile': (file) => fs.promises.readFile(file),
      'fs.readFile': (file) => viaCallback((done) => fs.readFile(file, 'utf8', done)),
    };
    for (const [name, ask] of Object.entries({ ...questions, ...readers })) {
      it(name, async () => {
        const folder = `${disk.mountPoint}/folder`;
        const file = `${folder}/file`;
        fs.mkdirSync(folder, { recursive: true });
        fs.writeFileSync(file, 'content');
        await withFreeLoop(async (measure) => {
          await forgetEverything();
          disk.setReadDelayMs(DELAY_MS);
          const { elapsedMs } = await measure(() => ask(file), BOUND_MS);
          disk.reset();
          expect(elapsedMs, 'time of an answer that has to be read from the disk').to.be.least(DELAY_MS * 0.9);
          // The control: the same question on this device is answered at once when it can be.
          const before = stats().lanes.inline.operations;
          await fs.promises.stat(file);
          expect(stats().lanes.inline.operations - before, 'inline answers when all is in memory').to.equal(1);
        });
      });
    }

    it('promises.readFile of a small file whose path is in memory and whose content is not', async () => {
      const file = disk.writeCold('content only', 'x'.repeat(10_000));
      await fs.promises.stat(file);
      await withFreeLoop(async (measure) => {
        evict(file);
        disk.setReadDelayMs(DELAY_MS);
        const { elapsedMs, result } = await measure(() => fs.promises.readFile(file, 'latin1'), BOUND_MS);
        disk.reset();
        expect(elapsedMs).to.be.least(DELAY_MS * 0.9);
        expect(result).to.equal('x'.repeat(10_000));
      });
    });
  });
});
