// H29, H41: a pool that is full of calls on something that does not answer. closeSync and the end of the process wait
// for what was asked for on this thread before; what of it no thread of the pool has started they carry out themselves.
// Red when they wait for the strangers' calls: the child hangs until the disk answers, which it does after the child's
// end.
import nodeFs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { skip } from '../helpers/backend.mjs';
import { runChild } from '../helpers/child.mjs';
import { openSlowDisk } from '../helpers/slow-disk.mjs';
import { removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';

/** limits::local_threads_max: those that are stuck leave their place to others, up to so many. */
const POOL_THREADS = 32;
const QUEUED = 4;
const TIMEOUT_MS = 30_000;

// Every thread of the pool reads a file that the disk holds back, more of them wait, and one write is in the queue
// behind.
const prelude = `
  import nodeFs from 'node:fs';
  import fs from 'ioengine/fs';
  import { stats } from 'ioengine';
  const [local, ...held] = process.argv.slice(1);
  const fd = fs.openSync(local, 'w');
  await new Promise((resolve) => fs.write(fd, 'first ', resolve));
  for (const file of held) fs.readFile(file, () => {});
  while (stats().inFlight < ${POOL_THREADS}) await new Promise((resolve) => setTimeout(resolve, 1));
  let written;
  fs.write(fd, 'second', (error, bytes) => { written = error?.code ?? bytes; });`;

const endings = {
  closeSync: `
    fs.closeSync(fd);
    const content = nodeFs.readFileSync(local, 'latin1');
    while (written === undefined) await new Promise(setImmediate);
    console.log(JSON.stringify({ content, written, unanswered: stats().inFlight }));
    process.kill(process.pid, 'SIGKILL');`,
  // Behind the last listener: what is in the file shows when the process has ended.
  'process.exit': `
    console.log(JSON.stringify({ unanswered: stats().inFlight }));
    process.exit(0);`,
};

describe('H29: a full pool holds up nobody who does not need it', () => {
  let directory;
  let disk;
  before(async function () {
    directory = temporaryDirectory();
    disk = await openSlowDisk();
    if (disk.skipped) skip(this, disk.skipped);
  });
  after(() => {
    if (disk !== undefined && !disk.skipped) disk.close();
    removeDirectory(directory);
  });

  for (const [name, ending] of Object.entries(endings)) {
    it(`${name} carries out a write that waits in the queue`, async () => {
      const local = path.join(directory, name);
      const files = Array.from({ length: POOL_THREADS + QUEUED }, (_, i) =>
        disk.writeCold(`held-${i}`, 'x'.repeat(5000)),
      );
      // The paths are in memory, the contents are not.
      for (const file of files) nodeFs.statSync(file);
      disk.holdReads();
      try {
        const child = await runChild({ code: prelude + ending, args: [local, ...files], timeoutMs: TIMEOUT_MS });
        expect(child.timedOut, 'waited for the disk').to.equal(false);
        const { content = nodeFs.readFileSync(local, 'latin1'), written, unanswered } = child.json();
        expect(content).to.equal('first second');
        // Those that have hung for long get threads of their own, in the place of those that they had.
        expect(unanswered, 'calls that the disk has not answered yet').to.be.within(POOL_THREADS, files.length);
        if (name === 'closeSync') expect(written).to.equal(6);
      } finally {
        disk.releaseReads();
      }
    });
  }
});
