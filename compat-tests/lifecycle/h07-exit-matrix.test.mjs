// H7: process.exit(), an uncaught throw and an unhandled rejection run no N-API cleanup hook on the main thread, and
// signals run nothing. Rule: nothing important lives only in a hook; node:fs says how each way out has to look.
// Red when a way out hangs, crashes, changes the exit status, or loses what an accepted write had to say.
import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { skip } from '../helpers/backend.mjs';
import { runChild, startChild } from '../helpers/child.mjs';
import { sharedSlowDisk } from '../helpers/slow-disk.mjs';
import { taggedBytes } from './support/tagged.mjs';

const DELAY_MS = 100;
const ways = {
  'process.exit(7)': `process.exit(7);`,
  'process.exit(7) later in the turn': `process.nextTick(() => process.exit(7));`,
  'process.exit in a completion': `handle.read(Buffer.alloc(4096), 0, 4096, 0).then(() => process.exit(9));`,
  'an uncaught throw': `setImmediate(() => { throw new Error('on purpose'); });`,
  'an unhandled rejection': `Promise.reject(new Error('on purpose'));`,
  'process.abort()': `process.abort();`,
  'running out of things to do': ``,
  SIGTERM: `process.kill(process.pid, 'SIGTERM');`,
  SIGINT: `process.kill(process.pid, 'SIGINT');`,
  SIGKILL: `process.kill(process.pid, 'SIGKILL');`,
};

// `subject` is the module under test or node:fs, which says what is right.
const code = (subject, way) => `
  import fs from '${subject}';
  const handle = await fs.promises.open(process.argv[1], 'r');
  for (let i = 0; i < 16; i++) handle.read(Buffer.alloc(4096), 0, 4096, i * 8192).catch(() => {});
  ${
    subject === 'node:fs'
      ? ''
      : `const direct = await fs.open(process.argv[1], { flags: 'r', direct: true });
  for (let i = 0; i < 16; i++) direct.read(Buffer.alloc(4096), 0, 4096, i * 8192).catch(() => {});`
  }
  process.stdout.write('in flight');
  ${way}`;

describe('H7: every way out of a process with reads in flight', () => {
  let disk;
  let count = 0;

  before(async function () {
    disk = await sharedSlowDisk();
    if (disk.skipped) skip(this, disk.skipped);
  });
  afterEach(() => disk.skipped ?? disk.reset());

  /** Both leave the same way, side by side, each with a cold file of its own. */
  async function leave(way) {
    const subjects = ['node:fs', 'ioengine/fs'];
    const files = subjects.map(() => disk.writeCold(`exit-${count++}`, taggedBytes(7, 64)));
    disk.setReadDelayMs(DELAY_MS);
    const children = await Promise.all(
      subjects.map((subject, i) => runChild({ code: code(subject, way), args: [files[i]] })),
    );
    disk.reset();
    return children;
  }

  for (const [name, way] of Object.entries(ways)) {
    it(name, async () => {
      const [nodes, ours] = await leave(way);
      expect(ours.timedOut, ours.describe()).to.equal(false);
      expect({ status: ours.status, signal: ours.signal }, ours.describe()).to.deep.equal({
        status: nodes.status,
        signal: nodes.signal,
      });
      expect(ours.stdout).to.equal('in flight');
      expect(ours.stderr.includes('on purpose')).to.equal(nodes.stderr.includes('on purpose'));
      if (name === 'running out of things to do') {
        expect(ours.elapsedMs, 'the loop stays alive for what is in flight').to.be.at.least(DELAY_MS);
      }
    });
  }

  it('SIGTERM from outside while hundreds of reads are in flight', async () => {
    const file = disk.writeCold('exit-outside', taggedBytes(7, 1024));
    disk.setReadDelayMs(300);
    const child = startChild({
      args: [file],
      code: `
        import fs from 'ioengine/fs';
        const handle = await fs.open(process.argv[1], { flags: 'r', direct: true });
        for (let i = 0; i < 500; i++) handle.read(Buffer.alloc(4096), 0, 4096, i * 8192).catch(() => {});
        setImmediate(() => console.log('in flight'));`,
    });
    await child.waitFor(/in flight/);
    child.kill('SIGTERM');
    await child.ended();
    disk.reset();
    expect(child.signal, child.describe()).to.equal('SIGTERM');
  });

  it('the disk can be unmounted afterwards: nothing holds its files', async () => {
    const folder = path.join(disk.mountPoint);
    const holders = fs.readdirSync('/proc').filter((pid) => {
      if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return false;
      try {
        return fs.readdirSync(`/proc/${pid}/fd`).some((fd) => {
          try {
            return fs.readlinkSync(`/proc/${pid}/fd/${fd}`).startsWith(folder);
          } catch {
            return false;
          }
        });
      } catch {
        return false; // gone meanwhile
      }
    });
    expect(holders).to.deep.equal([]);
  });
});
