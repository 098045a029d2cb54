// Every difference from node:fs that docs/compatibility.md states, tried on both sides: one that has gone, on either
// side, fails here, so that the document stays true.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import path from 'node:path';
import { MessageChannel, Worker } from 'node:worker_threads';
import { expect } from 'chai';
import { stats } from 'ioengine';
import { inRoot } from '../../scripts/lib/paths.mjs';
import { runChild } from '../helpers/child.mjs';
import { skipBecause } from '../helpers/compare.mjs';
import { node, nodeP, ours, oursNamespace, oursP, subjectOverridden } from '../helpers/oracle.mjs';
import { removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';

const codeOf = (call) => {
  try {
    call();
    return 'nothing thrown';
  } catch (error) {
    return error.code;
  }
};

/** Calls of `api[name]` while `work` runs. */
async function callsOf(api, name, work) {
  const original = api[name];
  let calls = 0;
  api[name] = function counted(...args) {
    calls++;
    return original.apply(this, args);
  };
  try {
    await work();
  } finally {
    api[name] = original;
  }
  return calls;
}

const isDirect = (fd) => {
  const flags = /flags:\s*([0-7]+)/.exec(fs.readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))[1];
  return (Number.parseInt(flags, 8) & fs.constants.O_DIRECT) !== 0;
};

describe('surface: the differences that docs/compatibility.md states', () => {
  let folder;
  let file;

  before(function () {
    if (subjectOverridden)
      skipBecause(this, 'the differences are those of ioengine, and another subject is in its place');
    folder = temporaryDirectory();
    file = path.join(folder, 'file');
    fs.writeFileSync(file, 'x'.repeat(5000));
  });
  after(() => folder && removeDirectory(folder));

  it('open without a callback', async () => {
    expect(codeOf(() => node.open(file))).to.equal('ERR_INVALID_ARG_TYPE');
    const handle = await ours.open(file);
    expect(handle).to.be.instanceOf((await nodeHandle()).constructor);
    await handle.close();
  });

  async function nodeHandle() {
    const handle = await nodeP.open(file);
    await handle.close();
    return handle;
  }

  /** Skips where the filesystem has no O_DIRECT: node's own open is the judge. */
  function needsDirect(test) {
    try {
      fs.closeSync(fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_DIRECT));
    } catch (error) {
      if (error.code !== 'EINVAL') throw error;
      skipBecause(test, 'the filesystem of the temporary folder refuses O_DIRECT');
    }
  }

  it('open with an object of options, and O_DIRECT at any offset and length', async function () {
    needsDirect(this);
    expect(await nodeP.open(file, { flags: 'r', direct: true }).catch(({ code }) => code)).to.equal(
      'ERR_INVALID_ARG_VALUE',
    );
    for (const open of [ours.open, oursP.open]) {
      const handle = await open(file, { flags: 'r', direct: true });
      expect(isDirect(handle.fd)).to.equal(true);
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(7), 0, 7, 4997);
      expect([bytesRead, buffer.toString('latin1')]).to.deep.equal([3, 'xxx\0\0\0\0']);
      await handle.close();
    }
    const theirs = await nodeP.open(file, fs.constants.O_RDONLY | fs.constants.O_DIRECT);
    expect(await theirs.read(Buffer.alloc(7), 0, 7, 4997).catch(({ code }) => code)).to.equal('EINVAL');
    await theirs.close();
  });

  it('writeBehind of write streams', async () => {
    const wrong = { writeBehind: 'anything' };
    const stream = node.createWriteStream(path.join(folder, 'behind'), wrong);
    await once(stream.end('x'), 'close');
    expect(codeOf(() => ours.createWriteStream(path.join(folder, 'behind'), wrong))).to.equal('ERR_INVALID_ARG_TYPE');
    const behind = ours.createWriteStream(path.join(folder, 'behind'), { writeBehind: 100_000 });
    await once(behind, 'open');
    // In memory by the next tick, and no write is as quick as that.
    behind.write('y'.repeat(10_000));
    await new Promise((resolve) => process.nextTick(() => process.nextTick(resolve)));
    expect(behind.writableLength).to.equal(0);
    await once(behind.end(), 'close');
    expect(fs.statSync(path.join(folder, 'behind')).size).to.equal(10_000);
  });

  it('direct of the streams', async function () {
    needsDirect(this);
    for (const [api, direct] of [
      [node, false],
      [ours, true],
    ]) {
      const makers = [
        () => api.createReadStream(file, { direct: true }),
        () => api.createWriteStream(path.join(folder, 'new'), { direct: true }),
      ];
      for (const make of makers) {
        const stream = make();
        const [fd] = await once(stream, 'open');
        expect(isDirect(fd)).to.equal(direct);
        stream.destroy();
        await once(stream, 'close');
      }
    }
  });

  it('IOENGINE_DIRECT=1: every open of a regular file tries O_DIRECT', async function () {
    needsDirect(this);
    const child = await runChild({
      code: `
        import { once } from 'node:events';
        import nodeFs from 'node:fs';
        import fs from 'ioengine/fs';
        const [file, other] = process.argv.slice(1);
        const direct = (fd) => /flags:\\s*([0-7]+)/.exec(nodeFs.readFileSync('/proc/self/fdinfo/' + fd, 'latin1'))[1];
        const isDirect = (fd) => (Number.parseInt(direct(fd), 8) & nodeFs.constants.O_DIRECT) !== 0;
        const handle = await fs.promises.open(file);
        const fd = await new Promise((resolve) => fs.open(file, 'r', (error, fd) => resolve(fd)));
        const stream = fs.createReadStream(file);
        const [streamed] = await once(stream, 'open');
        const pipe = await fs.promises.open('/dev/null');
        const seen = [handle.fd, fd, streamed, pipe.fd].map(isDirect);
        const read = await handle.read(Buffer.alloc(7), 0, 7, 4997);
        await fs.promises.writeFile(other, 'x'.repeat(777));
        await fs.promises.appendFile(other, 'y');
        const lengths = [read.bytesRead, (await fs.promises.readFile(file)).length, nodeFs.statSync(other).size];
        stream.resume();
        await once(stream, 'close');
        fs.closeSync(fd);
        await Promise.all([handle.close(), pipe.close()]);
        console.log(JSON.stringify({ seen, lengths, bytes: stream.bytesRead }));`,
      args: [file, path.join(folder, 'other')],
      env: { IOENGINE_DIRECT: '1' },
    });
    expect(child.status, child.describe()).to.equal(0);
    expect(child.json()).to.deep.equal({ seen: [true, true, true, false], lengths: [3, 5000, 778], bytes: 5000 });
  });

  it('named imports: names of other versions are undefined', async () => {
    const theirs = await import('node:fs');
    const others = Object.keys(oursNamespace).filter((name) => !(name in theirs));
    for (const name of others) expect(oursNamespace[name], name).to.equal(undefined);
    expect(others).to.not.include.members(['open']);
    expect(Object.keys(theirs).filter((name) => !(name in oursNamespace))).to.deep.equal([]);
  });

  it('named imports keep the first value after a patch', async () => {
    const theirs = await import('node:fs');
    const patched = () => {};
    for (const [api, namespace, follows] of [
      [node, theirs, true],
      [ours, oursNamespace, false],
    ]) {
      const original = api.statfs;
      api.statfs = patched;
      syncBuiltinESMExports();
      expect(namespace.statfs === patched).to.equal(follows);
      expect(namespace.default.statfs).to.equal(patched);
      api.statfs = original;
      syncBuiltinESMExports();
    }
  });

  it('exists and truncate do not call others through the object; streams do', async () => {
    const truncate = (api) => () => new Promise((done) => api.truncate(file, 5000, done));
    expect(await callsOf(node, 'open', truncate(node))).to.equal(1);
    expect(await callsOf(ours, 'open', truncate(ours))).to.equal(0);
    const exists = (api) => () => new Promise((done) => api.exists(file, done));
    expect(await callsOf(node, 'access', exists(node))).to.equal(1);
    expect(await callsOf(ours, 'access', exists(ours))).to.equal(0);
    for (const api of [node, ours]) {
      const calls = await callsOf(api, 'open', async () => once(api.createReadStream(file).resume(), 'close'));
      expect(calls).to.equal(1);
    }
  });

  it('a patch of node:fs is not seen', async () => {
    const read = () =>
      new Promise((resolve) => {
        const fd = fs.openSync('/proc/self/stat'); // a file that node serves
        ours.read(fd, Buffer.alloc(8), 0, 8, 0, () => resolve(fs.closeSync(fd)));
      });
    expect(await callsOf(node, 'read', read)).to.equal(0);
  });

  it('Object.getPrototypeOf of a stream class shows a stand-in until the class is used', () => {
    const show = (look) =>
      execFileSync(
        process.execPath,
        [
          '--eval',
          `const [ours, node] = [require('ioengine/fs'), require('node:fs')];
          const seen = () => ['ReadStream', 'WriteStream'].flatMap((name) => [
            Object.getPrototypeOf(ours[name]) === node[name],
            Object.getPrototypeOf(ours[name].prototype) === node[name].prototype,
          ]);
          const before = seen();
          ${look};
          console.log([...before, ...seen()].join());`,
        ],
        { cwd: inRoot(), encoding: 'utf8' },
      ).trim();
    const used = 'false,false,false,false,true,true,true,true';
    expect(show("ours.ReadStream.name; 'pipe' in ours.WriteStream.prototype; 'from' in ours.ReadStream")).to.equal(
      used,
    );
    expect(show('ours.ReadStream.prototype instanceof node.ReadStream; ours.WriteStream.prototype.__proto__')).to.equal(
      used,
    );
    expect(
      show("ours.ReadStream.prototype.mine = 1; class W extends ours.WriteStream {} new W('x', { fd: 1 })"),
    ).to.equal(used);
  });

  it('a FileHandle is of a subclass, also after a transfer; not in a thread that has opened none', async () => {
    const Base = (await nodeHandle()).constructor;
    const handle = await oursP.open(file);
    expect(handle.constructor).to.not.equal(Base);
    expect(handle).to.be.instanceOf(Base);
    const { port1, port2 } = new MessageChannel();
    port1.postMessage(handle, [handle]);
    const [received] = await once(port2, 'message');
    port1.close();
    expect(received.constructor).to.equal(handle.constructor);
    expect((await received.readFile()).byteLength).to.equal(5000);
    const before = stats().lanes.delegated.operations;
    expect((await received.read(Buffer.alloc(10), 0, 10, 0)).bytesRead).to.equal(10);
    expect(stats().lanes.delegated.operations, 'delegated').to.equal(before);
    await received.close();
    const worker = new Worker(
      `const { parentPort } = require('node:worker_threads');
      require('ioengine/fs');
      parentPort.once('message', async (handle) => {
        const { length } = await handle.readFile();
        const parents = Object.getPrototypeOf(Object.getPrototypeOf(handle)).constructor.name;
        await handle.close();
        parentPort.postMessage([length, parents]);
      });`,
      { eval: true },
    );
    const sent = await oursP.open(file);
    worker.postMessage(sent, [sent]);
    const [answer] = await once(worker, 'message');
    // One class up from node's there is no other FileHandle.
    expect(answer[0]).to.equal(5000);
    expect(answer[1]).to.not.equal('FileHandle');
    await worker.terminate();
  });
});
