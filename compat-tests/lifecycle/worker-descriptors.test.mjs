// H3: node keeps a list of the numbers that it has opened in a Worker and not closed itself, warns of others, and
// closes what is left when the Worker ends. Rule: in a Worker a number is node's to give and to take back, whoever
// opens and closes the file. Red when the end of a Worker takes a descriptor from another thread that has got the
// number since, when it leaves one open, when node warns where it would not on its own, and when a number is lost.
import fs from 'node:fs';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect } from 'chai';
import { runChild } from '../helpers/child.mjs';
import { removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';

/** What Workers have: `fs`, `nodeFs`, `called` (a function with a callback, as a promise), `warnings`. */
const PRELUDE = `
  const { parentPort, workerData } = require('node:worker_threads');
  const fs = require('ioengine/fs');
  const nodeFs = require('node:fs');
  const { file, how } = workerData;
  const called = (name, ...args) =>
    new Promise((resolve, reject) => fs[name](...args, (error, value) => (error ? reject(error) : resolve(value))));
  const warnings = [];
  process.on('warning', ({ message }) => warnings.push(message));
  const code = ({ code }) => code;`;

/** Opens and closes a file, in the ways that `how` says; then it waits. */
const OPEN_AND_CLOSE = `
  const fd = how[0] === 'openSync' ? fs.openSync(file, 'r+') : await called('open', file, 'r+');
  const reads = Array.from({ length: 8 }, () => called('read', fd, Buffer.alloc(4096), 0, 4096, 0));
  if (how[2] === 'idle') await Promise.all(reads);
  if (how[1] === 'closeSync') fs.closeSync(fd);
  else await called('close', fd);
  await Promise.all(reads);
  parentPort.postMessage(fd);
  setTimeout(() => {}, 100_000);`;

/** Opens a file in the way that `how` says and leaves it open. */
const LEAVE_OPEN = `
  const options = { autoClose: false, direct: how === 'direct stream' ? 'try' : false };
  const fd = how === 'open' ? await called('open', file, 'r') : await new Promise((resolve, reject) => {
    fs.createReadStream(file, options).on('open', resolve).on('error', reject);
  });
  await called('read', fd, Buffer.alloc(10), 0, 10, 0);
  parentPort.postMessage(fd);
  if (workerData.waits) setTimeout(() => {}, 100_000);`;

/** By name: what a Worker does, and what it then answers. Open numbers and warnings are counted. */
const WITHOUT_TRACE = {
  'open, and close by the closeSync of each module': [
    'fs.closeSync(await called("open", file)); nodeFs.closeSync(await called("open", file));',
  ],
  'streams, one with direct': [
    `for (const direct of [false, 'try'])
       await new Promise((resolve) => fs.createReadStream(file, { direct }).resume().on('close', resolve));`,
  ],
  'openSync, and close of each module': [
    `await called('close', fs.openSync(file));
     await new Promise((resolve) => nodeFs.close(fs.openSync(file), resolve));`,
  ],
  'FileHandles and readFile of files that are not the engine’s': [
    `for (const name of ['/proc/self/status', '/']) await (await fs.promises.open(name)).close();
     await fs.promises.readFile('/proc/self/status');
     await called('readFile', '/proc/self/status');`,
  ],
  'opens that fail, and of what is not the engine’s': [
    `const failed = await Promise.all([called('open', file + '/x').catch(code), called('open', file + 'x').catch(code)]);
     for (const name of ['/dev/null', '/proc/self/status', '/']) await called('close', await called('open', name));
     return failed;`,
    ['ENOTDIR', 'ENOENT'],
  ],
  'a stream with direct that fails': [
    `return new Promise((resolve) => fs.createReadStream(file + 'x', { direct: 'try' }).on('error', (e) => resolve(e.code)));`,
    'ENOENT',
  ],
  'calls on a number that is being closed': [
    `const fd = fs.openSync(file);
     const first = called('close', fd);
     const others = [called('close', fd), called('read', fd, Buffer.alloc(1), 0, 1, 0)].map((call) => call.catch(code));
     let sync;
     try { fs.closeSync(fd); } catch (error) { sync = error.message; }
     await first;
     return [sync, ...(await Promise.all(others))];`,
    ['EBADF: bad file descriptor, close', 'EBADF', 'EBADF'],
  ],
};

const traced = (work) => `
  await called('close', await called('open', file));
  const count = () => nodeFs.readdirSync('/proc/self/fd').length;
  const work = async () => { ${work} };
  await work(); // what the engine and node open for themselves stays open
  const before = count();
  let answer;
  for (let i = 0; i < 20; i++) answer = await work();
  const more = count() - before;
  await new Promise((resolve) => setImmediate(resolve));
  parentPort.postMessage({ answer, warnings, isMore: more >= 20 });`;

describe('H3: descriptors of a Worker', () => {
  const directory = temporaryDirectory();
  const file = path.join(directory, 'file');
  fs.writeFileSync(file, Buffer.alloc(8192, 1));
  after(() => removeDirectory(directory));

  const start = (code, workerData, options) => {
    const text = `${PRELUDE} (async () => { ${code} })();`;
    const worker = new Worker(text, { eval: true, execArgv: [], workerData: { file, ...workerData }, ...options });
    worker.said = new Promise((resolve, reject) => worker.on('message', resolve).on('error', reject));
    worker.ended = new Promise((resolve) => worker.on('exit', resolve));
    return worker;
  };

  for (const opened of ['openSync', 'open']) {
    for (const closed of ['close', 'closeSync']) {
      for (const state of ['idle', 'reading']) {
        it(`${opened}, ${closed} while ${state}: its number is another thread's afterwards`, async () => {
          const worker = start(OPEN_AND_CLOSE, { how: [opened, closed, state] });
          const number = await worker.said;
          const mine = [];
          do mine.push(fs.openSync(file, 'r'));
          while (mine.at(-1) < number);
          try {
            await worker.terminate();
            for (const fd of mine) expect(() => fs.fstatSync(fd), `descriptor ${fd}`).to.not.throw();
          } finally {
            for (const fd of mine) fs.closeSync(fd);
          }
        });
      }
    }
  }

  /** Whether a number is that of the file. Another thread may have got it for something else. */
  const isOpen = (fd) => {
    try {
      return fs.readlinkSync(`/proc/self/fd/${fd}`) === file;
    } catch {
      return false;
    }
  };

  for (const how of ['open', 'stream', 'direct stream']) {
    for (const waits of [false, true]) {
      it(`${how}, and never closed: is closed when the Worker ${waits ? 'is terminated' : 'has ended'}`, async () => {
        const worker = start(LEAVE_OPEN, { how, waits });
        const fd = await worker.said;
        if (waits) expect(isOpen(fd), 'while the Worker runs').to.equal(true);
        if (waits) await worker.terminate();
        else await worker.ended;
        expect(isOpen(fd)).to.equal(false);
      });
    }
  }

  it('trackUnmanagedFds: false leaves the number open, as with node', async () => {
    const worker = start(LEAVE_OPEN, { how: 'open', waits: false }, { trackUnmanagedFds: false });
    const fd = await worker.said;
    await worker.ended;
    expect(isOpen(fd)).to.equal(true);
    fs.closeSync(fd);
  });

  for (const [what, [work, answer]] of Object.entries(WITHOUT_TRACE)) {
    it(`${what}: no warning, no number left`, async () => {
      const worker = start(traced(work));
      expect(await worker.said).to.deep.equal({ answer, warnings: [], isMore: false });
      await worker.ended;
    });
  }

  it('open with a callback takes the last number there is, as with node', async () => {
    const code = `
      import { execFileSync } from 'node:child_process';
      import { Worker } from 'node:worker_threads';
      execFileSync('prlimit', ['--nofile=80:80', '--pid', String(process.pid)]);
      const worker = new Worker(${JSON.stringify(`${PRELUDE} (async () => {
        await called('close', await called('open', file));
        const held = [];
        try { for (;;) held.push(nodeFs.openSync('/dev/null')); } catch {}
        const none = await called('open', file).catch(code);
        nodeFs.closeSync(held.pop());
        const last = await called('open', file).catch(code);
        const closed = await called('close', last).catch(code);
        held.forEach((fd) => nodeFs.closeSync(fd));
        console.log(JSON.stringify({ none, last: typeof last, closed: closed ?? null, warnings }));
      })();`)}, { eval: true, execArgv: [], workerData: { file: process.argv[1] } });
    `;
    const child = await runChild({ code, args: [file] });
    expect(child.json(), child.describe()).to.deep.equal({
      none: 'EMFILE',
      last: 'number',
      closed: null,
      warnings: [],
    });
  });
});
