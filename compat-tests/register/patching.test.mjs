// Programs that put functions of their own into node:fs find under `ioengine/register` what they find in plain node:
// their patches are seen by the same calls, can be taken back, and never reach the engine's own loading.
import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';
import { expectSame, IMPORT, runReporting } from './support/programs.mjs';

describe('register: patched node:fs', function () {
  this.timeout(60_000);
  let folder;

  before(() => {
    folder = temporaryDirectory();
    fs.writeFileSync(path.join(folder, 'data'), 'x'.repeat(5000));
  });
  after(() => removeDirectory(folder));

  const head = () => `
    import fs, * as names from 'node:fs';
    import promises, * as promised from 'node:fs/promises';
    import { once } from 'node:events';
    import { syncBuiltinESMExports } from 'node:module';
    const folder = ${JSON.stringify(folder)};
    const [file, out] = ['data', 'out-' + process.pid].map((name) => folder + '/' + name);
    const results = {};
    const print = () => console.log(JSON.stringify(results));
    const call = (name, ...args) => new Promise((resolve) => fs[name](...args, (...values) => resolve(values)));
  `;

  it('realpath finds a pipe behind a link of /proc, and nothing that an earlier stat of a pipe has left', async () => {
    await expectSame({
      code: `${head()}
        import { spawnSync } from 'node:child_process';
        const program = "const fs = require('fs'); fs.fstatSync(0); fs.stat('/dev/stdin', () => fs.realpath('/dev/stdin', (error, found) => { console.log(error?.code, found?.replace(/[0-9]+/g, 'N')); fs.realpath(process.argv[1], (error, found) => console.log(error?.code, found)); }));";
        fs.mkdirSync(folder + '/real/deep', { recursive: true });
        for (const [name, to] of [['one', folder + '/real'], ['two', folder + '/one/deep']]) {
          if (!fs.existsSync(folder + '/' + name)) fs.symlinkSync(to, folder + '/' + name);
        }
        const child = spawnSync(process.execPath, [...process.execArgv.filter((text) => text.includes('register')), '-e', program, folder + '/two'], { input: '' });
        results.found = child.stdout.toString();
        results.served = (await call('readFile', file))[1].length;
        print();`,
    });
  });

  it('node:test mocks: called, counted, restored', async () => {
    await expectSame({
      code: `${head()}
        import { mock } from 'node:test';
        const original = fs.readFile;
        mock.method(fs, 'readFile', (path, callback) => callback(null, 'mocked'));
        results.mocked = (await call('readFile', file))[1];
        results.calls = fs.readFile.mock.calls.length;
        syncBuiltinESMExports();
        results.named = names.readFile === fs.readFile;
        mock.restoreAll();
        syncBuiltinESMExports();
        results.restored = [fs.readFile === original, names.readFile === original, (await call('readFile', file))[1].length];
        const spy = mock.method(promises, 'readFile');
        results.spied = [(await promises.readFile(file)).length, (await fs.promises.readFile(file)).length, spy.mock.calls.length];
        mock.reset();
        print();`,
    });
  });

  it('whole functions call the patched ones that node’s call', async () => {
    const plain = await expectSame({
      code: `${head()}
        const watched = ['open', 'close', 'read', 'write', 'writev', 'fsync', 'writeFile', 'closeSync', 'openSync', 'writeSync', 'fsyncSync'];
        const calls = [];
        const tries = {
          readFile: () => call('readFile', file),
          writeFile: () => call('writeFile', out, 'text'),
          'writeFile with flush': () => call('writeFile', out, 'text', { flush: true }),
          appendFile: () => call('appendFile', out, 'text'),
          truncate: () => call('truncate', out, 2),
          readFileSync: () => fs.readFileSync(file),
          writeFileSync: () => fs.writeFileSync(out, 'text', { flush: true }),
          promises: async () => { await promises.readFile(file); await promises.writeFile(out, 'text'); },
          handle: async () => { const handle = await promises.open(file); await handle.readFile(); await handle.close(); },
          createReadStream: () => once(fs.createReadStream(file).resume(), 'close'),
          createWriteStream: () => once(fs.createWriteStream(out, { flush: true }).end('text'), 'close'),
        };
        for (const patched of watched) {
          const original = fs[patched];
          fs[patched] = function (...args) { calls.push(patched); return original.apply(this, args); };
          for (const [name, work] of Object.entries(tries)) {
            calls.length = 0;
            await work();
            if (calls.length > 0) (results[name] ??= {})[patched] = calls.length;
          }
          fs[patched] = original;
        }
        print();`,
    });
    expect(plain.json()['writeFile with flush']).to.deep.equal({
      open: 1,
      close: 1,
      write: 1,
      fsync: 1,
      writeFile: 1,
    });
  });

  it('a patched fs.open, as graceful-fs makes it, over every function and stream', async () => {
    await expectSame({
      code: `${head()}
        // Retries what fails for want of descriptors; classes of streams of its own, functions that remember their
        // names.
        const { open, close, closeSync, readFile, ReadStream, WriteStream } = fs;
        let failures = 0;
        let closes = 0;
        fs.close = function (fd, done) { return close.call(fs, fd, (...values) => { closes++; done?.(...values); }); };
        fs.closeSync = function (fd) { closes++; return closeSync.apply(fs, arguments); };
        fs.open = function (path, flags, mode, done) {
          if (typeof mode === 'function') [done, mode] = [mode, null];
          if (failures++ % 2 === 0) return setImmediate(() => fs.open(path, flags, mode, done));
          return open(path, flags, mode, done);
        };
        fs.readFile = (path, options, done) => readFile(path, options, done ?? options);
        function OwnRead(path, options) {
          if (this instanceof OwnRead) return ReadStream.apply(this, arguments), this;
          return OwnRead.apply(Object.create(OwnRead.prototype), arguments);
        }
        OwnRead.prototype = Object.create(ReadStream.prototype);
        OwnRead.prototype.open = function () {
          fs.open(this.path, this.flags, this.mode, (error, fd) => {
            if (error) { if (this.autoClose) this.destroy(); this.emit('error', error); }
            else { this.fd = fd; this.emit('open', fd); this.read(); }
          });
        };
        function OwnWrite(path, options) {
          if (this instanceof OwnWrite) return WriteStream.apply(this, arguments), this;
          return OwnWrite.apply(Object.create(OwnWrite.prototype), arguments);
        }
        OwnWrite.prototype = Object.create(WriteStream.prototype);
        fs.ReadStream = OwnRead;
        fs.WriteStream = OwnWrite;
        results.classes = [fs.ReadStream === OwnRead, fs.createReadStream(file).destroy() instanceof OwnRead];
        let bytes = 0;
        const stream = fs.createReadStream(file).on('data', (chunk) => { bytes += chunk.length; });
        await once(stream, 'close');
        const writing = fs.createWriteStream(out);
        writing.write('one'); writing.end('two');
        await once(writing, 'close');
        results.streams = [bytes, fs.readFileSync(out, 'utf8'), stream instanceof ReadStream, writing instanceof OwnWrite];
        results.read = (await call('readFile', file))[1].length;
        results.written = [(await call('writeFile', out, 'text'))[0], fs.readFileSync(out, 'utf8')];
        results.closes = closes > 0;
        print();`,
    });
  });

  it('accessors of the stream classes: read, replaced, subclassed', async () => {
    await expectSame({
      code: `${head()}
        const looks = (value) => [typeof value, value?.name, value?.length];
        for (const name of ['ReadStream', 'WriteStream', 'FileReadStream', 'FileWriteStream']) {
          const descriptor = Object.getOwnPropertyDescriptor(fs, name);
          if (!descriptor) continue;
          results[name] = [looks(descriptor.get), looks(descriptor.set), descriptor.enumerable, descriptor.configurable];
        }
        class Own extends fs.ReadStream {
          _read(size) { results.reads = true; return super._read(size); }
          _construct(done) { results.constructed = true; return super._construct(done); }
        }
        results.own = (await new Own(file).toArray()).length;
        const { ReadStream } = fs;
        fs.ReadStream = Own;
        results.made = [fs.createReadStream(file).destroy() instanceof Own, fs.FileReadStream === Own, names.ReadStream === ReadStream];
        syncBuiltinESMExports();
        results.synced = names.ReadStream === Own;
        fs.ReadStream = ReadStream;
        const read = ReadStream.prototype._read;
        ReadStream.prototype._read = function (size) { results.patched = true; return read.call(this, size); };
        results.again = (await fs.createReadStream(file).toArray()).length;
        results.called = [fs.ReadStream(file).destroy() instanceof ReadStream, new fs.createReadStream(file).destroy() instanceof ReadStream];
        print();`,
    });
  });

  it('streams with functions of the program’s own call those, and no others', async () => {
    await expectSame({
      code: `${head()}
        const calls = [];
        const own = Object.fromEntries(['open', 'close', 'read', 'write'].map((name) => [
          name, (...args) => { calls.push(name); return fs[name](...args); },
        ]));
        results.read = Buffer.concat(await fs.createReadStream(file, { fs: own }).toArray()).length;
        const writing = fs.createWriteStream(out, { fs: own });
        writing.end('text');
        await once(writing, 'close');
        results.calls = calls;
        results.module = Buffer.concat(await fs.createReadStream(file, { fs }).toArray()).length;
        print();`,
    });
  });

  it('functions that a program breaks do not keep the engine from starting', async () => {
    const file = path.join(folder, 'broken.cjs');
    fs.writeFileSync(
      file,
      `const fs = require('node:fs');
       for (const name of Object.keys(fs)) {
         if (typeof fs[name] !== 'function' || !/Sync$/.test(name) || name === 'writeSync') continue;
         fs[name] = () => { throw new Error(name + ' is not to be called'); };
       }
       const reads = [
         new Promise((resolve) => fs.readFile(${JSON.stringify(path.join(folder, 'data'))}, (error, data) => resolve(error ?? data.length))),
         fs.promises.open(${JSON.stringify(path.join(folder, 'data'))}).then(async (handle) => {
           const { length } = await handle.readFile();
           await handle.close();
           return length;
         }),
         fs.createReadStream(${JSON.stringify(path.join(folder, 'data'))}).toArray().then(([chunk]) => chunk.length),
       ];
       Promise.all(reads).then((seen) => console.log(JSON.stringify(seen)));`,
    );
    const plain = await expectSame({ file });
    // In automatic mode nothing has been started when the program breaks them.
    const { child, engine } = await runReporting({ file, nodeArgs: IMPORT, env: { IOENGINE_BACKEND: 'auto' } });
    expect(child.stdout, child.describe()).to.equal(plain.stdout);
    expect(engine, child.describe()).to.not.equal(undefined);
  });

  it('a program that hides or replaces the stack still imports modules', async () => {
    fs.writeFileSync(path.join(folder, 'module.mjs'), 'export default 1;');
    const looks = [
      'Error.stackTraceLimit = 0',
      "Error.prepareStackTrace = () => { throw new Error('no stack'); }",
      'Error.prepareStackTrace = (error, frames) => frames',
    ];
    for (const look of looks) {
      const code = `${look}; console.log((await import(${JSON.stringify(`file://${folder}/module.mjs`)})).default);`;
      const { child } = await runReporting({ code, nodeArgs: IMPORT });
      expect(child.stdout.trim(), `${look}: ${child.describe()}`).to.equal('1');
    }
  });
});
