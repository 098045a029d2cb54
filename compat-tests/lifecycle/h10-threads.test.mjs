// H10, the threads: Node unloads the addon when the last worker that loaded it ends, and a native thread that still
// runs its code then gets a SIGSEGV.
// Rule: the teardown joins the pool before the worker is gone, and the addon is linked -Wl,-z,nodelete. Red when pool
// threads are told to stop and not joined: those that are slow to leave outlive the worker, and without nodelete the
// process dies of it. Red when they are not even told: then every one is left.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { hasProgram } from '../fixtures/resource.mjs';
import { skip } from '../helpers/backend.mjs';
import { repositoryRoot, runChild, startChild } from '../helpers/child.mjs';
import { straceObstacle } from '../helpers/faults.mjs';
import { removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';
import { isKeptMapped } from './support/elf.mjs';

const file = fileURLToPath(new URL('./support/threads-child.mjs', import.meta.url));
const DELAY_MS = 300;

/** Attaches strace to these threads alone: they come back late from every wait, and take their time to end. */
async function slowDown(threads) {
  const inject = ['futex:delay_exit=', 'exit:delay_enter='].map((rule) => ['-e', `inject=${rule}${DELAY_MS}ms`]);
  const args = [...inject.flat(), '-o', '/dev/null', ...threads.flatMap((thread) => ['-p', String(thread)])];
  const strace = spawn('strace', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const over = once(strace, 'exit');
  let words = '';
  const attached = new Promise((resolve) => {
    strace.stderr.setEncoding('utf8').on('data', (text) => {
      words += text;
      if (words.split(' attached').length > threads.length) resolve(true);
    });
  });
  const works = await Promise.race([attached, over.then(() => false)]);
  return { works, words: () => words, over };
}

describe('H10: the threads of a worker that was the only one with an engine', () => {
  let directory;
  before(() => {
    directory = temporaryDirectory();
  });
  after(() => removeDirectory(directory));

  function expectNoneLeft(reports) {
    for (const { backend, threads, left } of reports) {
      // There must be something that can be left.
      expect(threads.pool.length, 'threads of the pool before the end').to.be.above(1);
      if (backend === 'uring') expect(threads.ring.length, 'workers of the ring before the end').to.be.above(0);
      expect(left, 'threads after the end').to.deep.equal({ pool: [], ring: [] });
    }
  }

  for (const end of ['terminate', 'exit']) {
    it(`none is left after ${end === 'terminate' ? 'terminate()' : 'the worker has ended by itself'}`, async () => {
      const child = await runChild({ file, args: [directory, '5', end] });
      expect(child.status, child.describe()).to.equal(0);
      expect(child.json()).to.have.length(5);
      expectNoneLeft(child.json());
    });

    it(`none is left although they are slow to leave (${end})`, async function () {
      if (!hasProgram('strace')) skip(this, 'strace is not installed');
      const child = startChild({ file, args: [directory, '1', end, 'wait'] });
      await child.waitFor(/\n/);
      const { pool } = child.json();
      const strace = await slowDown(pool);
      if (!strace.works) {
        child.kill('SIGKILL');
        skip(this, `strace may not attach to a thread: ${strace.words()}`);
      }
      const started = performance.now();
      child.say('end');
      await child.ended();
      await strace.over;
      expect(child.status, child.describe()).to.equal(0);
      expectNoneLeft(child.json());
      expect(performance.now() - started, 'the threads were slow').to.be.at.least(DELAY_MS);
    });
  }

  // A descriptor of the engine's that is open for a moment takes the number that the program has just closed.
  it('opens nothing when a thread starts', async function () {
    const obstacle = straceObstacle();
    if (obstacle) skip(this, obstacle);
    const child = await runChild({
      code: `
        import fs from 'ioengine/fs';
        const { engineThreads } = await import(process.argv[1]);
        await fs.promises.readdir('.');
        const before = engineThreads().pool.length;
        await Promise.all(Array.from({ length: 64 }, () => fs.promises.readdir('.')));
        console.log(JSON.stringify({ before, after: engineThreads().pool.length }));`,
      args: [new URL('./support/engine-threads.mjs', import.meta.url).href],
      strace: { trace: 'openat,openat2,open' },
    });
    expect(child.status, child.describe()).to.equal(0);
    const { before, after } = child.json();
    expect(after, 'threads started').to.be.above(before);
    const opened = child.trace.filter((line) => line.includes('"/proc/self/task/') && line.includes('O_RDWR'));
    expect(opened).to.deep.equal([]);
  });

  it('the addon stays mapped after the last worker: DF_1_NODELETE', () => {
    expect(isKeptMapped(process.execPath), 'a file without the flag').to.equal(false);
    const addon = process.env.IOENGINE_ADDON ?? path.join(repositoryRoot, 'build', 'Release', 'ioengine.node');
    expect(isKeptMapped(addon)).to.equal(true);
  });
});
