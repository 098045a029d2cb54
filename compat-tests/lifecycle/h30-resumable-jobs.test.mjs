// H30: rm and cp of what takes long were cut into calls that each opened everything by name again. A directory of
// 60,000 files was listed again in each, and the clock was looked at before the first of them was removed: it never
// ended; a file that another replaced meanwhile was copied to the middle, and the other from there.
// Rule: a job keeps its descriptors and its place, every slice of it makes progress, and the end of a process or thread
// cancels it between two slices. Red when a slice starts over, opens a file again, or is waited for until all is done.
import fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { hasProgram } from '../fixtures/resource.mjs';
import { skip } from '../helpers/backend.mjs';
import { runChild, startChild } from '../helpers/child.mjs';
import { ours, oursP } from '../helpers/oracle.mjs';
import { inMemory, removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';

const MiB = 2 ** 20;
const jobsChild = fileURLToPath(new URL('./support/jobs-child.mjs', import.meta.url));
// Since 26 cp is one request of node's.
const copiesHere = Number(process.versions.node.split('.')[0]) < 26;
const nodesCopy = 'because since Node 26 cp is one request of node’s';

const calls = {
  promise: (name, ...args) => oursP[name](...args),
  callback: (name, ...args) =>
    new Promise((resolve, reject) => ours[name](...args, (error) => (error ? reject(error) : resolve()))),
};

describe('H30: jobs that take many time slices', () => {
  let folder;
  beforeEach(() => {
    folder = temporaryDirectory(inMemory);
  });
  afterEach(() => removeDirectory(folder));

  const file = (name) => `${folder}/${name}`;

  function makeFiles(name, count) {
    fs.mkdirSync(file(name));
    for (let i = 0; i < count; i++) fs.closeSync(fs.openSync(file(`${name}/${i}`), 'w'));
  }

  function fill(name, letter, size) {
    const fd = fs.openSync(file(name), 'w');
    for (let i = 0; i < size; i++) fs.writeSync(fd, Buffer.alloc(MiB, letter));
    fs.closeSync(fd);
  }

  /** `A` for a file that has nothing else, `AB` for a mixture. */
  function lettersOf(name) {
    const bytes = fs.readFileSync(file(name));
    const letters = new Set();
    for (let at = 0; at < bytes.length; at += 4096) letters.add(String.fromCharCode(bytes[at]));
    return [...letters].join('');
  }

  const childCode = (call) => `import fs from 'ioengine/fs'; const [, path] = process.argv; ${call}`;

  for (const form of Object.keys(calls)) {
    it(`rm of 60,000 files in one folder ends (${form})`, async () => {
      makeFiles('flat', 60_000);
      await calls[form]('rm', file('flat'), { recursive: true });
      expect(fs.existsSync(file('flat'))).to.equal(false);
    });
  }

  it('rm lists a large folder once', async () => {
    const count = 60_000;
    makeFiles('flat', count);
    const code = childCode(`await fs.promises.rm(path, { recursive: true });`);
    const child = await runChild({ code, args: [file('flat')], strace: { trace: 'getdents64' } });
    expect(child.status, child.describe()).to.equal(0);
    expect(fs.existsSync(file('flat'))).to.equal(false);
    // At most 32 bytes for each name, and parts of 32 KiB: 58, where listing it again in each slice took 16,685.
    const listings = child.trace.filter((line) => line.includes('getdents64('));
    expect(listings.length).to.be.within(1, 200);
  });

  it('rm ends where each step takes longer than a slice', async () => {
    makeFiles('slow', 3);
    const code = childCode(`await fs.promises.rm(path, { recursive: true });`);
    const inject = 'getdents64,unlinkat:delay_exit=30000';
    const child = await runChild({
      code,
      args: [file('slow')],
      strace: { trace: 'getdents64,unlinkat', inject },
      timeoutMs: 30_000,
    });
    expect(child.timedOut, child.describe()).to.equal(false);
    expect(child.status, child.describe()).to.equal(0);
    expect(fs.existsSync(file('slow'))).to.equal(false);
  });

  it('rm ends where the way down takes longer than a slice and may not be kept open', async function () {
    if (!hasProgram('prlimit')) skip(this, 'because the program prlimit is not installed');
    // More levels than a quarter of the descriptors: each slice starts at the top again.
    const [levels, descriptors] = [12, 40];
    for (let depth = 1; depth <= levels; depth++) fs.mkdirSync(file(`deep${'/in'.repeat(depth)}`), { recursive: true });
    const code = childCode(`
      import { execFileSync } from 'node:child_process';
      execFileSync('prlimit', ['--nofile=${descriptors}:${descriptors}', '--pid', String(process.pid)]);
      await fs.promises.rm(path, { recursive: true });`);
    const inject = 'getdents64,unlinkat:delay_exit=25000';
    const strace = { trace: 'getdents64,unlinkat', inject };
    const child = await runChild({ code, args: [file('deep')], strace, timeoutMs: 60_000 });
    expect(child.timedOut, child.describe()).to.equal(false);
    expect(child.status, child.describe()).to.equal(0);
    expect(fs.existsSync(file('deep'))).to.equal(false);
  });

  for (const form of Object.keys(calls)) {
    it(`cp copies one file, whatever takes the names of both meanwhile (${form})`, async function () {
      if (!copiesHere) skip(this, nodesCopy);
      const size = 64;
      fill('from', 'A', size);
      fill('next', 'B', size);
      const [from, to] = [file('from'), file('to')].map((name) => JSON.stringify(name));
      const call = {
        promise: `await fs.promises.cp(${from}, ${to})`,
        callback: `await new Promise((done, fail) => fs.cp(${from}, ${to}, (error) => (error ? fail(error) : done())))`,
      };
      // Parts of 8 MiB, each of them longer than a slice.
      const inject = 'copy_file_range:delay_exit=60000';
      const child = startChild({ code: childCode(call[form]), strace: { trace: 'copy_file_range', inject } });
      const copied = () => fs.statSync(file('to'), { throwIfNoEntry: false })?.size ?? 0;
      while (copied() === 0 && !child.over) await new Promise(setImmediate);
      expect(copied(), 'copied when the names are taken').to.be.below(size * MiB);
      fs.renameSync(file('next'), file('from'));
      fs.renameSync(file('to'), file('aside'));
      fs.writeFileSync(file('to'), 'C');
      await child.ended();
      expect(child.status, child.describe()).to.equal(0);
      expect(fs.statSync(file('aside')).size).to.equal(size * MiB);
      expect([lettersOf('aside'), lettersOf('to')]).to.deep.equal(['A', 'C']);
    });
  }

  it('two cp to one target: it is one of them', async function () {
    if (!copiesHere) skip(this, nodesCopy);
    for (const letter of ['A', 'B']) fill(letter, letter, 96);
    const first = oursP.cp(file('A'), file('to'));
    while (!fs.existsSync(file('to'))) await new Promise(setImmediate);
    const second = oursP.cp(file('B'), file('to'));
    expect(await Promise.allSettled([first, second])).to.deep.equal([
      { status: 'fulfilled', value: undefined },
      { status: 'fulfilled', value: undefined },
    ]);
    expect(lettersOf('to')).to.equal('B');
  });

  it('a job that has begun goes on while JavaScript is busy', async () => {
    makeFiles('flat', 3000);
    const code = childCode(`
      fs.promises.rm(path, { recursive: true });
      const left = () => {
        try {
          return fs.readdirSync(path).length;
        } catch {
          return 0;
        }
      };
      while (left() === 3000) await new Promise(setImmediate);
      const end = Date.now() + 60_000;
      while (left() > 0 && Date.now() < end);
      console.log(JSON.stringify(left()));`);
    const strace = { trace: 'none', inject: 'unlinkat:delay_exit=100' };
    const child = await runChild({ code, args: [file('flat')], strace });
    expect(child.json(), child.describe()).to.equal(0);
  });

  // Files of two parts, so that the end comes in the middle of one.
  const [files, fileMiB] = [20, 16];

  const jobs = {
    rm: {
      make: () => makeFiles('from', 3000),
      trace: 'unlinkat',
      delay: 2000,
      isLeft: () => fs.existsSync(file('from')) && fs.readdirSync(file('from')).length > 0,
    },
    cp: {
      make: () => {
        fs.mkdirSync(file('from'));
        for (let i = 0; i < files; i++) fill(`from/${i}`, 'A', fileMiB);
      },
      trace: 'copy_file_range',
      delay: 60_000,
      isLeft: () => {
        const sizes = fs.readdirSync(file('to')).map((name) => fs.statSync(file(`to/${name}`)).size);
        expect(sizes, 'sizes of the files that were begun').to.deep.equal(sizes.map(() => fileMiB * MiB));
        return sizes.length < files;
      },
    },
  };

  for (const [job, { make, trace, delay, isLeft }] of Object.entries(jobs)) {
    for (const end of ['process.exit', 'terminate']) {
      it(`${end} in the middle of ${job}: it is given up between two files, and nothing of it stays`, async function () {
        if (job === 'cp' && !copiesHere) skip(this, nodesCopy);
        make();
        // What is not traced is not delayed either.
        const strace = { trace, inject: `${trace}:delay_exit=${delay}` };
        const child = await runChild({ file: jobsChild, args: [job, end, folder], strace });
        expect(child.status, child.describe()).to.equal(0);
        expect(isLeft(), 'given up').to.equal(true);
        if (end === 'terminate') expect(child.json()).to.deep.equal({ threads: 0, descriptors: 0, changed: 0 });
      });
    }
  }
});
