// H5: io_uring_enter fails for good after it has worked (a seccomp filter that comes late), with requests in the ring
// that nobody can hear of any more. Rule: the ring is closed; once the kernel has let go of a request it is done again
// by the pool, or fails with EIO where that could do it twice (docs/decisions/0012-closed-rings.md). Red when a call
// never settles, the thread waits or spins, or the process does not end.
import nodeFs from 'node:fs';
import { expect } from 'chai';
import { backend } from 'ioengine';
import { skip } from '../helpers/backend.mjs';
import { runChild } from '../helpers/child.mjs';
import { injection, loopWithoutRings, straceObstacle } from '../helpers/faults.mjs';
import { sharedSlowDisk } from '../helpers/slow-disk.mjs';
import { taggedBytes, taggedFault } from './support/tagged.mjs';

const tagged = new URL('./support/tagged.mjs', import.meta.url).href;
const BLOCKS = 64;
const DELAY_MS = 1500;

const reads = `
  import fs from 'ioengine/fs';
  import { stats } from 'ioengine';
  const { taggedFault } = await import(process.argv[2]);
  const handle = await fs.open(process.argv[1], { flags: 'r', direct: true });
  let ticks = 0;
  const timer = setInterval(() => ticks++, 50);
  const outcomes = [];
  const before = process.cpuUsage();
  async function read(block) {
    const buffer = Buffer.alloc(4096);
    const { bytesRead } = await handle.read(buffer, 0, 4096, block * 4096);
    outcomes.push(taggedFault(buffer, 1, block) ?? bytesRead);
  }
  await Promise.all(Array.from({ length: 16 }, (_, i) => read(i * 3)));
  const { user, system } = process.cpuUsage(before);
  await Promise.all(Array.from({ length: 4 }, (_, i) => read(i * 3 + 1)));
  clearInterval(timer);
  await handle.close();
  const { inFlight, queued, fallbacks } = stats();
  console.log(JSON.stringify({ outcomes, inFlight, queued, fallbacks, ticks, cpu_ms: (user + system) / 1000 }));`;

const writesAndExit = `
  import fs from 'ioengine/fs';
  const { taggedBytes } = await import(process.argv[2]);
  const handle = await fs.open(process.argv[1], { flags: 'r+', direct: true });
  for (let i = 0; i < ${BLOCKS}; i += 2) handle.write(taggedBytes(2, 1, i), 0, 4096, i * 4096).catch(() => {});
  setTimeout(() => process.exit(0), 100);`;

describe('H5: io_uring_enter fails for good', () => {
  let disk;

  before(async function () {
    if (backend().name !== 'uring') skip(this, `the ${backend().name} backend does not call io_uring_enter`);
    const obstacle = straceObstacle();
    if (obstacle) skip(this, obstacle);
    disk = await sharedSlowDisk();
    if (disk.skipped) skip(this, disk.skipped);
  });
  afterEach(() => disk?.skipped ?? disk?.reset());

  async function run(name, code, error, delays) {
    const file = disk.writeCold(name, taggedBytes(1, BLOCKS));
    delays();
    const child = await runChild({
      code,
      args: [file, tagged],
      strace: {
        trace: 'io_uring_setup,io_uring_enter',
        inject: [...(await loopWithoutRings()), injection('io_uring_enter', { error, when: '3+' })],
      },
    });
    expect(child.status, child.describe()).to.equal(0);
    const injected = child.trace.filter((line) => line.includes('io_uring_enter') && line.includes('(INJECTED)'));
    expect(injected.length, 'the fault was really injected').to.be.above(0);
    return { child, file };
  }

  for (const error of ['EPERM', 'EBADF', 'ENOMEM', 'EINTR']) {
    it(`${error}: reads that a slow disk has are done again, and the thread goes on`, async () => {
      const { child } = await run(`read-${error}`, reads, error, () => disk.setReadDelayMs(DELAY_MS));
      const { outcomes, inFlight, queued, fallbacks, ticks, cpu_ms: cpu } = child.json();
      expect(outcomes).to.deep.equal(Array(20).fill(4096));
      expect({ inFlight, queued }).to.deep.equal({ inFlight: 0, queued: 0 });
      expect(fallbacks).to.be.above(15);
      // The disk takes a multiple of that; what may pass is tried for a second.
      expect(ticks, 'timers went on').to.be.above(20);
      if (['EPERM', 'EBADF'].includes(error)) expect(cpu).to.be.below(DELAY_MS / 2);
    });
  }

  it('writes that a slow disk has are there after process.exit()', async () => {
    const { file } = await run('write', writesAndExit, 'EPERM', () => disk.setWriteDelayMs(500));
    disk.reset();
    const content = nodeFs.readFileSync(file);
    for (let i = 0; i < BLOCKS; i++) {
      const fault = taggedFault(content.subarray(i * 4096, (i + 1) * 4096), i % 2 === 0 ? 2 : 1, i);
      expect(fault, `block ${i}`).to.equal(undefined);
    }
  });
});
