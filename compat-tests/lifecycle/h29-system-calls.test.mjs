// H29 and H16, seen from outside: under loads on a slow disk no system call of the JavaScript thread takes as long as
// the disk does, but the waits of the event loop itself. strace times them. Red for whatever lane lets the thread wait:
// a ring that serves a cold read at submit, io_submit behind an inode lock, an inline read whose pages are gone, a
// close that flushes.
import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { run } from '../fixtures/resource.mjs';
import { skip } from '../helpers/backend.mjs';
import { startChild } from '../helpers/child.mjs';
import { straceObstacle } from '../helpers/faults.mjs';
import { evict, openSlowDisk } from '../helpers/slow-disk.mjs';

const DELAY_MS = 400;
/** Between what a busy machine takes from a thread and what the disk takes. */
const BOUND_MS = 150;
const WAITS = /^(?:epoll_p?wait2?|poll|ppoll|futex|exit|exit_group|execve|wait4|restart_syscall)$/;
const LINE = /^(\d+) +(?:<\.\.\. (\w+) resumed>|(\w+)\().*<(\d+\.\d+)>$/;

/** Opens everything while the disk is fast, runs `load` when it is told that the disk is slow. */
const program = (load) => `
  import fs, { promises as fsp } from 'ioengine/fs';
  import { alignedBuffer } from 'ioengine';
  const dir = process.argv[1], DIRECT = fs.constants.O_DIRECT;
  await fsp.stat(dir);
  const open = (name, flags) => fsp.open(dir + '/' + name, flags);
  const each = (count, work) => Promise.all(Array.from({ length: count }, (_, i) => work(i)));
  const load = await (${load})();
  console.log('ready');
  await new Promise((resolve) => process.stdin.once('data', resolve));
  await load();
  console.log('done');
  process.exit(0);`;

const LOADS = {
  'cold buffered reads': `async () => {
    const files = await each(8, (i) => open('cold-' + i, 'r'));
    return () => each(32, (i) => files[i % 8].read(Buffer.alloc(4096), 0, 4096, (i * 37 % 60) * 4096));
  }`,
  'cold files by path, and streams': `async () => () => Promise.all([
    each(8, (i) => fsp.readFile(dir + '/cold-' + i)), each(4, (i) => fsp.stat(dir + '/below-' + i + '/file')), fsp.readdir(dir + '/below-0'),
    each(4, async (i) => { for await (const chunk of fs.createReadStream(dir + '/cold-' + i)) chunk.length; }),
  ])`,
  'direct reads and writes side by side': `async () => {
    const reader = await open('large', fs.constants.O_RDONLY | DIRECT), writer = await open('target', fs.constants.O_RDWR | DIRECT);
    return () => Promise.all([
      each(48, (i) => reader.read(alignedBuffer(4096), 0, 4096, i * 8192)), each(16, (i) => writer.write(alignedBuffer(4096).fill(i), 0, 4096, i * 8192)),
    ]);
  }`,
  'direct reads of ranges that are dirty': `async () => {
    const buffered = await open('dirty', 'r+'), direct = await open('dirty', fs.constants.O_RDONLY | DIRECT);
    return async () => {
      await each(16, (i) => buffered.write(Buffer.alloc(65536, i), 0, 65536, i * 65536));
      await each(16, (i) => direct.read(alignedBuffer(65536), 0, 65536, i * 65536));
    };
  }`,
  'writes, syncs and closes beside cached reads': `async () => {
    const cached = await open('cached', 'r'), log = await open('log', 'a');
    for (let i = 0; i < 64; i++) await cached.read(Buffer.alloc(4096), 0, 4096, i * 4096);
    return async () => {
      const synced = log.write('x'.repeat(100_000)).then(() => log.sync());
      const files = each(4, async (i) => {
        const file = await open('new-' + i, 'w');
        await file.write(Buffer.alloc(300_000, i));
        await file.close();
        await fsp.rename(dir + '/new-' + i, dir + '/old-' + i);
      });
      for (let i = 0; i < 300; i++) await cached.read(Buffer.alloc(4096), 0, 4096, (i % 64) * 4096);
      await Promise.all([synced, files]);
    };
  }`,
};

/** System calls of the thread that came first, longer than the bound. */
function longCalls(trace) {
  const main = trace[0]?.split(' ')[0];
  return trace.flatMap((line) => {
    const [, thread, resumed, begun, seconds] = LINE.exec(line) ?? [];
    const isLong = thread === main && Number(seconds) * 1000 > BOUND_MS && !WAITS.test(resumed ?? begun);
    return isLong ? [line] : [];
  });
}

describe('H29: the JavaScript thread’s system calls on a slow disk', () => {
  let disk;
  before(async function () {
    const obstacle = straceObstacle();
    if (obstacle !== undefined) skip(this, obstacle);
    disk = await openSlowDisk({ journal: true });
    if (disk.skipped) skip(this, disk.skipped);
    const write = (name, bytes) => fs.writeFileSync(path.join(disk.mountPoint, name), Buffer.alloc(bytes, 1));
    for (let i = 0; i < 8; i++) write(`cold-${i}`, 60 * 4096);
    for (const name of ['large', 'target', 'dirty', 'cached']) write(name, 2 << 20);
    write('log', 10);
    for (let i = 0; i < 4; i++) {
      fs.mkdirSync(path.join(disk.mountPoint, `below-${i}`));
      write(`below-${i}/file`, 5000);
    }
    run('sync', ['-f', disk.mountPoint]);
  });
  after(() => {
    if (disk !== undefined && !disk.skipped) disk.close();
  });

  for (const [name, load] of Object.entries(LOADS)) {
    it(name, async () => {
      for (let i = 0; i < 8; i++) evict(path.join(disk.mountPoint, `cold-${i}`));
      const child = startChild({
        code: program(load),
        args: [disk.mountPoint],
        strace: { times: true, trace: '%file,%desc,io_uring_enter,io_submit,io_getevents' },
      });
      await child.waitFor(/ready/);
      disk.setDelayMs(DELAY_MS);
      child.say('go');
      await child.ended();
      disk.reset();
      expect(child.stdout, child.describe()).to.include('done');
      expect(longCalls(child.trace)).to.deep.equal([]);
    });
  }
});
