// H3: node closes at the end of a Worker what it has opened there and not closed itself, by number. Rule: what node has
// opened node closes, in a Worker, also where a program asks the engine to. Red when the end of a Worker takes a
// descriptor from another thread that has got the number since.
import fs from 'node:fs';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect } from 'chai';
import { removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';

/** Opens and closes a file, in the ways that `how` says; then it waits. */
const CODE = `
  const { parentPort, workerData: { file, how } } = require('node:worker_threads');
  const fs = require('ioengine/fs');
  const called = (name, ...args) =>
    new Promise((resolve, reject) => fs[name](...args, (error, value) => (error ? reject(error) : resolve(value))));
  (async () => {
    const fd = how[0] === 'openSync' ? fs.openSync(file, 'r+') : await called('open', file, 'r+');
    const reads = Array.from({ length: 8 }, () => called('read', fd, Buffer.alloc(4096), 0, 4096, 0));
    if (how[2] === 'idle') await Promise.all(reads);
    if (how[1] === 'closeSync') fs.closeSync(fd);
    else await called('close', fd);
    await Promise.all(reads);
    parentPort.postMessage(fd);
    setTimeout(() => {}, 100_000);
  })();`;

describe('H3: descriptors of a Worker that has ended', () => {
  const directory = temporaryDirectory();
  const file = path.join(directory, 'file');
  fs.writeFileSync(file, Buffer.alloc(8192, 1));
  after(() => removeDirectory(directory));

  for (const opened of ['openSync', 'open']) {
    for (const closed of ['close', 'closeSync']) {
      for (const state of ['idle', 'reading']) {
        it(`${opened}, ${closed} while ${state}: its number is another thread's afterwards`, async () => {
          const workerData = { file, how: [opened, closed, state] };
          const worker = new Worker(CODE, { eval: true, execArgv: [], workerData });
          const number = await new Promise((resolve, reject) => worker.on('message', resolve).on('error', reject));
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
});
