// The differences from node:fs that docs/compatibility.md lists as observable only by timing or identity, tried on both
// sides: one that has gone, on either side, fails here. Buffers given away during a read are in lifecycle/h09,
// process.exit() in lifecycle/h28.
import { executionAsyncId, triggerAsyncId } from 'node:async_hooks';
import fs from 'node:fs';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { expect } from 'chai';
import { stats } from 'ioengine';
import { runChild } from '../helpers/child.mjs';
import { skipBecause } from '../helpers/compare.mjs';
import { node, nodeP, ours, oursP, subjectOverridden } from '../helpers/oracle.mjs';
import { removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';

const MIB = 1024 * 1024;
const major = Number(process.versions.node.split('.')[0]);

describe('surface: the differences observable only by timing or identity', () => {
  let folder;
  let file;

  before(function () {
    if (subjectOverridden)
      skipBecause(this, 'the differences are those of ioengine, and another subject is in its place');
    folder = temporaryDirectory();
    file = path.join(folder, 'file');
    fs.writeFileSync(file, Buffer.alloc(16 * MIB, 'x'));
  });
  after(() => folder && removeDirectory(folder));

  /** Whether a read of the file, which is in the page cache, is answered on this thread. */
  async function isReadHere(handle) {
    await handle.read(Buffer.alloc(10), 0, 10, 0);
    const before = stats().lanes.inline.operations;
    await handle.read(Buffer.alloc(10), 0, 10, 0);
    return stats().lanes.inline.operations > before;
  }

  for (const [what, call] of [
    ['read', (handle) => handle.read(Buffer.alloc(10), 0, 10, 0)],
    ['stat', (handle) => handle.stat()],
  ]) {
    it(`a cached ${what}, then close() in the same turn: the descriptor is gone at once`, async function () {
      const handles = [await nodeP.open(file), await oursP.open(file)];
      const here = await isReadHere(handles[1]);
      const seen = handles.map((handle) => {
        const done = [call(handle), handle.close()];
        return { fd: Math.min(handle.fd, 0), done };
      });
      await Promise.all(seen.flatMap(({ done }) => done));
      if (!here) skipBecause(this, 'the filesystem of the temporary folder cannot say what is in its page cache');
      expect(seen.map(({ fd }) => fd)).to.deep.equal([0, -1]);
    });
  }

  it('`this` in the callback of a readFile that fails', async () => {
    const self = (api) =>
      new Promise((resolve) => {
        api.readFile(path.join(folder, 'missing'), function called() {
          resolve(this?.constructor?.name);
        });
      });
    expect([await self(node), await self(ours)]).to.deep.equal(['ReadFileContext', undefined]);
  });

  it('`this` and triggerAsyncId() in callbacks, since Node 26', async function () {
    if (major < 26) skipBecause(this, `Node ${major} makes no job of a whole call`);
    const calls = {
      writeFile: (api, done) => api.writeFile(path.join(folder, 'written'), 'text', done),
      appendFile: (api, done) => api.appendFile(path.join(folder, 'written'), 'text', done),
      readFile: (api, done) => api.readFile(path.join(folder, 'written'), done),
    };
    for (const [name, call] of Object.entries(calls)) {
      const look = (api) =>
        new Promise((resolve) => {
          const caller = executionAsyncId();
          call(api, function called() {
            resolve([this?.constructor?.name, triggerAsyncId() === caller]);
          });
        });
      const job = name === 'readFile' ? 'ReadFileContext' : 'WriteFileJob';
      expect(await look(node)).to.deep.equal([job, true]);
      expect(await look(ours)).to.deep.equal([undefined, false]);
    }
  });

  it('abort of readFile in mid-flight: rejects at once, and the file is closed', async () => {
    const rejectsAtOnce = async (api) => {
      const controller = new AbortController();
      let settled = false;
      const outcome = api
        .readFile(file, { signal: controller.signal })
        .then(
          () => 'done',
          (error) => error.name,
        )
        .finally(() => {
          settled = true;
        });
      await setImmediate();
      await setImmediate();
      controller.abort();
      for (let i = 0; i < 10; i++) await null;
      const atOnce = settled;
      return [atOnce, await outcome];
    };
    expect(await rejectsAtOnce(nodeP)).to.deep.equal([false, 'AbortError']);
    expect(await rejectsAtOnce(oursP)).to.deep.equal([true, 'AbortError']);
  });

  it('abort of writeFile with a callback in mid-flight: stops at the next look', async () => {
    const data = Buffer.alloc(64 * MIB);
    const aborted = async (api) => {
      const controller = new AbortController();
      const path = `${file}-${api === ours ? 'ours' : 'node'}`;
      const outcome = new Promise((resolve) => {
        api.writeFile(path, data, { signal: controller.signal }, (error) => resolve(error?.name ?? 'written'));
      });
      while (!(node.existsSync(path) && node.statSync(path).size > 0)) await setImmediate();
      controller.abort();
      return [await outcome, node.statSync(path).size];
    };
    const [said, size] = await aborted(node);
    expect(said).to.be.oneOf(major < 26 ? ['written'] : ['AbortError', 'written']);
    expect(size).to.equal(data.length);
    const [name, written] = await aborted(ours);
    expect(name).to.equal('AbortError');
    expect(written).to.be.below(data.length);
    expect(written % (MIB / 2)).to.equal(0);
  });

  it('/proc/self/fd after the first calls: a few descriptors of the engine, whose number stays', async () => {
    const script = `
      import nodeFs from 'node:fs';
      const { default: fs } = await import(process.argv[1]);
      const path = process.argv[2];
      const count = () => nodeFs.readdirSync('/proc/self/fd').length;
      const work = async () => {
        const handle = await fs.promises.open(path, 'r+');
        await handle.read(Buffer.alloc(100), 0, 100, 0);
        await handle.write(Buffer.alloc(100), 0, 100, 0);
        await handle.sync();
        await handle.close();
        await fs.promises.readFile(path);
        await fs.promises.stat(path);
      };
      const round = () => Promise.all(Array.from({ length: 32 }, work));
      const before = count();
      await round();
      await round();
      const after = count();
      for (let i = 0; i < 5; i++) await round();
      console.log(JSON.stringify({ more: after - before, later: count() - after }));`;
    const descriptors = path.join(folder, 'descriptors');
    fs.writeFileSync(descriptors, Buffer.alloc(4096));
    const counted = async (specifier, backend) => {
      const child = await runChild({
        code: script,
        args: [specifier, descriptors],
        env: { IOENGINE_BACKEND: backend },
      });
      expect(child.status, child.describe()).to.equal(0);
      return child.json();
    };
    expect(await counted('node:fs', 'auto')).to.deep.equal({ more: 0, later: 0 });
    const { more, later } = await counted('ioengine/fs', 'auto');
    expect(more).to.be.within(1, 4);
    expect(later).to.equal(0);
  });
});
