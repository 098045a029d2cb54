// A result that cannot be made into a value (a text of more than 512 MB) fails its own call, and nothing else of the
// batch that the engine delivers. Stood in for by a program that replaces Buffer.prototype.toString: names in 'hex' are
// made there, as a text that is too long would be, at the same place.
import { expect } from 'chai';
import { backend } from 'ioengine';
import { skip } from '../helpers/backend.mjs';
import { runChild } from '../helpers/child.mjs';

const prepare = `
  import nodeFs from 'node:fs';
  import os from 'node:os';
  import path from 'node:path';
  import fs from 'ioengine/fs';
  import { stats } from 'ioengine';
  const dir = nodeFs.mkdtempSync(path.join(os.tmpdir(), 'ioengine-throws-'));
  process.on('exit', () => nodeFs.rmSync(dir, { recursive: true }));
  nodeFs.writeFileSync(path.join(dir, 'a'), 'content');
  nodeFs.symlinkSync('a', path.join(dir, 'link'));
  const uncaught = [];
  process.on('uncaughtException', (error) => uncaught.push(error.message));
  await fs.promises.readdir(dir); // the engine is there
  const { toString } = Buffer.prototype;
  function throwing(on) {
    Buffer.prototype.toString = on
      ? function (encoding, ...rest) {
          if (encoding === 'hex') throw new Error('too long');
          return toString.call(this, encoding, ...rest);
        }
      : toString;
  }
  // So that all are finished when the engine looks, and delivered together.
  const wait = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
  const outcome = (promise) => promise.then((value) => (Array.isArray(value) ? value.length : String(value)), (error) => error.message);
  const called = (call) => new Promise((resolve) => {
    let times = 0;
    call((error, value) => {
      times++;
      setImmediate(() => resolve([error?.message ?? (Array.isArray(value) ? value.length : String(value)), times].join()));
    });
  });
  const link = path.join(dir, 'link');
  const throws = {
    'readdir, promise': () => outcome(fs.promises.readdir(dir, 'hex')),
    'readlink, promise': () => outcome(fs.promises.readlink(link, 'hex')),
    'readlink, callback': () => called((callback) => fs.readlink(link, 'hex', callback)),
  };
  const good = () => [
    outcome(fs.promises.readdir(dir)),
    called((callback) => fs.readlink(link, 'utf8', callback)),
    outcome(fs.promises.readlink(link)),
    called((callback) => fs.readlink(link, callback)),
  ];
  const result = {};
  for (const [name, make] of Object.entries(throws)) {
    throwing(true);
    const { lanes } = stats();
    const all = [...good(), make(), ...good()];
    wait();
    result[name] = await Promise.all(all);
    throwing(false);
    const { threads, delegated } = stats().lanes;
    if (threads.operations < lanes.threads.operations + 9 || delegated.operations > 0)
      result[name] = [threads.operations - lanes.threads.operations, delegated.operations];
  }
  console.log(JSON.stringify({ result, uncaught, ...stats() }));`;

describe('results that cannot be made', () => {
  it('fail alone, by promise and by callback', async function () {
    if (backend().name === undefined) skip(this, 'no engine runs');
    const child = await runChild({ code: prepare });
    expect(child.status, child.describe()).to.equal(0);
    const { result, uncaught, inFlight, queued } = child.json();
    const good = [2, 'a,1', 'a', 'a,1'];
    expect(result).to.deep.equal({
      'readdir, promise': [...good, 'too long', ...good],
      'readlink, promise': [...good, 'too long', ...good],
      'readlink, callback': [...good, 'too long,1', ...good],
    });
    expect(uncaught).to.deep.equal([]);
    expect({ inFlight, queued }).to.deep.equal({ inFlight: 0, queued: 0 });
  });
});
