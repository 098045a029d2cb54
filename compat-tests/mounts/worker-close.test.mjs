// H41: in a Worker, close of a number that node has opened waits for the server as a request does. Red when the
// Worker's thread waits for what is in flight on the number, or one of libuv's for the server. And what the server is
// told of closes there (docs/compatibility.md).
import fs from 'node:fs';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect } from 'chai';
import { skip } from '../helpers/backend.mjs';
import { openRemoteMount } from '../helpers/remote-mount.mjs';

/** More than libuv has threads. */
const COUNT = 6;
/** A thread that waits for the server waits for ever. */
const PATIENCE_MS = 15_000;

const CODE = `
  const { parentPort, workerData: { file, reads } } = require('node:worker_threads');
  const { pbkdf2 } = require('node:crypto');
  const fs = require('ioengine/fs');
  const warnings = [];
  process.on('warning', ({ message }) => warnings.push(message));
  const numbers = Array.from({ length: ${COUNT} }, () => fs.openSync(file, 'r+'));
  parentPort.once('message', async () => {
    const order = [];
    const settled = [];
    const call = (name, ...args) => settled.push(new Promise((resolve) => {
      fs[name](...args, (error, value) => resolve(order.push([name, error?.code ?? value ?? null])));
    }));
    for (const fd of numbers) {
      if (reads) call('read', fd, Buffer.alloc(4096), 0, 4096, 0);
      call('close', fd);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
    await new Promise((resolve) => pbkdf2('', '', 1, 32, 'sha256', resolve));
    const early = order.length;
    parentPort.postMessage({ early });
    await Promise.all(settled);
    const open = numbers.filter((fd) => {
      try {
        return fs.readlinkSync('/proc/self/fd/' + fd) === file;
      } catch {
        return false;
      }
    });
    parentPort.postMessage({ order, open, warnings });
  });
  parentPort.postMessage('open');`;

/** Opens and closes a file, once, by the functions of the module that is named. */
const OPEN_AND_CLOSE = `
  const { workerData: { file, module_ } } = require('node:worker_threads');
  const fs = require(module_);
  fs.open(file, (error, fd) => fs.close(fd, () => {}));`;

describe('H41: close in a Worker', () => {
  let mount;
  let worker;
  beforeEach(async function () {
    mount = await openRemoteMount({ cacheS: 0 });
    if (mount.skipped) skip(this, mount.skipped);
  });
  afterEach(async () => {
    if (mount === undefined || mount.skipped) return;
    mount.go();
    await worker?.terminate();
    mount.close();
  });

  for (const reads of [true, false]) {
    it(`of node's numbers ${reads ? 'behind reads' : 'that are idle'} holds up no thread of node's`, async () => {
      const file = path.join(mount.mountPoint, 'file');
      fs.writeFileSync(file, Buffer.alloc(4096, 1));
      worker = new Worker(CODE, { eval: true, execArgv: [], workerData: { file, reads } });
      const messages = [];
      let wake;
      worker.on('message', (message) => wake(messages.push(message)));
      const next = async () => {
        const late = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS).unref());
        if (messages.length === 0) await Promise.race([new Promise((resolve) => (wake = resolve)), late]);
        return messages.shift() ?? 'nothing was said';
      };
      wake = () => {};
      expect(await next()).to.equal('open');
      mount.stop();
      worker.postMessage('close');
      expect(await next(), 'while the server is stopped').to.deep.equal({ early: 0 });
      mount.go();
      const { order, open, warnings } = await next();
      const results = (name) => order.filter((entry) => entry[0] === name).map((entry) => entry[1]);
      expect(results('close')).to.deep.equal(Array(COUNT).fill(null));
      expect(results('read')).to.deep.equal(Array(reads ? COUNT : 0).fill(4096));
      expect({ open, warnings }).to.deep.equal({ open: [], warnings: [] });
    });
  }

  it('tells the server once, and with the engine twice more', async () => {
    const file = path.join(mount.mountPoint, 'file');
    fs.writeFileSync(file, 'content');
    const told = {};
    for (const module_ of ['node:fs', 'ioengine/fs']) {
      await mount.counts();
      worker = new Worker(OPEN_AND_CLOSE, { eval: true, execArgv: [], workerData: { file, module_ } });
      await new Promise((resolve, reject) => worker.on('exit', resolve).on('error', reject));
      told[module_] = (await mount.counts()).flush;
    }
    expect(told).to.deep.equal({ 'node:fs': 1, 'ioengine/fs': 3 });
  });
});
