// What surrounds a call of node:fs is under `ioengine/register` as it is in plain node: the program prints what it
// sees, and plain node's output is what is expected.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { skip } from '../helpers/backend.mjs';
import { repositoryRoot } from '../helpers/child.mjs';
import { removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';
import { expectSame, expectServed, IMPORT, runReporting } from './support/programs.mjs';

const BYTES = 5000;
/** So large that a read of it is never served in the turn of its call. */
const LARGE_BYTES = 4 * 1024 * 1024;

describe('register: contexts', function () {
  this.timeout(60_000);
  let folder;

  before(() => {
    folder = temporaryDirectory();
    fs.writeFileSync(path.join(folder, 'data'), 'x'.repeat(BYTES));
    fs.writeFileSync(path.join(folder, 'large'), Buffer.alloc(LARGE_BYTES, 'y'));
  });
  after(() => removeDirectory(folder));

  /** Every asynchronous function as `(name, call)`, where `call(done)` ends in `done`. */
  const head = () => `
    import assert from 'node:assert';
    import fs from 'node:fs';
    import { createRequire } from 'node:module';
    const require = createRequire(${JSON.stringify(path.join(repositoryRoot, 'package.json'))});
    const folder = ${JSON.stringify(folder)};
    const [file, large, out] = ['data', 'large', 'out-' + process.pid].map((name) => folder + '/' + name);
    const fd = fs.openSync(file);
    const outFd = fs.openSync(out, 'w');
    const buffer = Buffer.alloc(100);
    const calls = {
      open: (done) => fs.open(file, (error, opened) => { fs.closeSync(opened); done(error); }),
      close: (done) => fs.close(fs.openSync(file), done),
      read: (done) => fs.read(fd, buffer, 0, 100, 0, done),
      readv: (done) => fs.readv(fd, [buffer, Buffer.alloc(50)], 0, done),
      write: (done) => fs.write(outFd, buffer, 0, 100, 0, done),
      writev: (done) => fs.writev(outFd, [buffer, buffer], 0, done),
      fsync: (done) => fs.fsync(outFd, done),
      fdatasync: (done) => fs.fdatasync(outFd, done),
      readFile: (done) => fs.readFile(large, done),
      writeFile: (done) => fs.writeFile(out, 'text', done),
      appendFile: (done) => fs.appendFile(out, 'text', done),
      missing: (done) => fs.readFile(folder + '/missing', done),
      stream: (done) => fs.createReadStream(file).resume().on('close', done),
      writeStream: (done) => fs.createWriteStream(out).on('close', done).end('text'),
      promise: (done) => fs.promises.readFile(file).then(() => done(), done),
      handle: (done) => fs.promises.open(file).then((handle) => handle.read(buffer, 0, 100, 0).then(() => handle.close())).then(done, done),
    };
    const all = Object.entries(calls);
    const results = {};
    const print = () => console.log(JSON.stringify(results));
  `;

  it('AsyncLocalStorage: each end has the store of its call', async () => {
    const plain = await expectSame({
      code: `${head()}
        import { AsyncLocalStorage } from 'node:async_hooks';
        const storage = new AsyncLocalStorage();
        await Promise.all(all.map(([name, call]) => new Promise((resolve) => {
          storage.run(name, () => call(() => { results[name] = storage.getStore(); resolve(); }));
        })));
        for (const [name] of all) assert.strictEqual(results[name], name);
        console.log(JSON.stringify(Object.keys(results).sort()));`,
    });
    expect(plain.json()).to.have.lengthOf(16);
  });

  it('async_hooks: the same kinds of resources, each destroyed once', async () => {
    await expectSame({
      code: `${head()}
        import async_hooks from 'node:async_hooks';
        const live = new Map();
        const kinds = {};
        async_hooks.createHook({
          init(id, type) { if (type.startsWith('FSREQ')) { live.set(id, type); kinds[type] = true; } },
          destroy(id) { live.delete(id); },
        }).enable();
        for (const name of ['open', 'read', 'write', 'fsync', 'close', 'readv', 'writev']) {
          await new Promise((resolve) => calls[name](() => {
            results[name] = [live.get(async_hooks.executionAsyncId()), async_hooks.triggerAsyncId() > 0];
            resolve();
          }));
        }
        await new Promise((resolve) => setTimeout(resolve, 50));
        results.left = live.size;
        results.kinds = Object.keys(kinds).sort();
        print();`,
    });
  });

  it('microtasks and nextTicks run between two callbacks', async () => {
    const plain = await expectSame({
      code: `${head()}
        const seen = [];
        let open = 0;
        await new Promise((resolve) => {
          for (let i = 0; i < 20; i++) {
            fs.read(fd, Buffer.alloc(10), 0, 10, 0, () => {
              seen.push('callback');
              process.nextTick(() => seen.push('tick'));
              Promise.resolve().then(() => seen.push('microtask'));
              if (++open === 20) setImmediate(resolve);
            });
          }
          seen.push('called');
        });
        results.seen = seen;
        print();`,
    });
    expect(plain.json().seen.slice(0, 4)).to.deep.equal(['called', 'callback', 'tick', 'microtask']);
  });

  it('what a callback throws is an uncaught exception, and the others still run', async () => {
    const plain = await expectSame({
      code: `${head()}
        results.uncaught = [];
        process.on('uncaughtException', (error, origin) => results.uncaught.push([error.message, origin]));
        let left = all.length - 3;
        for (const [name, call] of all) {
          if (['promise', 'handle', 'open'].includes(name)) continue;
          call(() => {
            if (--left === 0) setTimeout(() => { results.uncaught.sort(); print(); }, 50);
            throw new Error(name);
          });
        }`,
    });
    expect(plain.json().uncaught).to.have.lengthOf(13);
  });

  it('so is what a nextTick throws between two callbacks', async () => {
    const plain = await expectSame({
      code: `${head()}
        results.seen = [];
        process.on('uncaughtException', ({ message }) => results.seen.push(message));
        await new Promise((resolve) => {
          let left = 20;
          for (let i = 0; i < 20; i++) {
            fs.read(fd, Buffer.alloc(10), 0, 10, 0, () => {
              results.seen.push('callback');
              process.nextTick(() => { throw new Error('tick'); });
              if (--left === 0) setTimeout(resolve, 50);
            });
          }
        });
        print();`,
    });
    expect(plain.json().seen).to.have.lengthOf(40);
  });

  it('the handler runs in the async context of the callback', async () => {
    const plain = await expectSame({
      code: `${head()}
        import { AsyncLocalStorage } from 'node:async_hooks';
        const storage = new AsyncLocalStorage();
        for (const name of ['read', 'write', 'close', 'fsync', 'readFile', 'writeFile']) {
          await new Promise((resolve) => {
            process.once('uncaughtException', ({ message }) => { results[name] = [message, storage.getStore() ?? null]; resolve(); });
            storage.run(name, () => calls[name](() => { throw new Error(name); }));
          });
        }
        print();`,
    });
    expect(plain.json().read).to.deep.equal(['read', 'read']);
  });

  it('without a handler it ends the process, with the program’s line on top', async () => {
    const file = path.join(folder, 'throwing.mjs');
    fs.writeFileSync(
      file,
      `import fs from 'node:fs';
       fs.read(fs.openSync(${JSON.stringify(path.join(folder, 'data'))}), () => { throw new Error('from the callback'); });`,
    );
    const seen = async (nodeArgs) => {
      const { child } = await runReporting({ file, nodeArgs });
      // Without the caret: it stands below `throw` or below `Error`.
      const lines = child.stderr.split('\n').filter((line) => !/^LANES |^ *\^+$/.test(line));
      return [child.status, lines.slice(0, 4)];
    };
    expect(await seen(IMPORT)).to.deep.equal(await seen([]));
  });

  it('domains get what callbacks throw', async () => {
    const plain = await expectSame({
      code: `${head()}
        import domain from 'node:domain';
        for (const name of ['read', 'write', 'readFile', 'writeFile', 'close', 'fsync', 'missing']) {
          await new Promise((resolve) => {
            const own = domain.create();
            own.on('error', (error) => { results[name] = [error.message, process.domain === own]; resolve(); });
            own.run(() => calls[name](() => { throw new Error(name); }));
          });
        }
        print();`,
    });
    expect(Object.keys(plain.json())).to.have.lengthOf(7);
  });

  it('errors: the same properties and the same first line', async () => {
    await expectSame({
      code: `${head()}
        const seen = (error) => error && [error.constructor.name, { ...error }, error.message, error.stack.split('\\n')[0]];
        const missing = folder + '/missing';
        const tries = {
          open: (done) => fs.open(missing, done),
          readFile: (done) => fs.readFile(missing, 'utf8', done),
          writeFile: (done) => fs.writeFile(missing + '/x', 'text', done),
          read: (done) => fs.read(outFd, buffer, 0, 10, 0, done),
          write: (done) => fs.write(fd, buffer, 0, 10, 0, done),
          close: (done) => fs.close(9999, done),
          fsync: (done) => fs.fsync(9999, done),
          promise: (done) => fs.promises.readFile(missing).catch(done),
          handle: (done) => fs.promises.open(missing).catch(done),
          stream: (done) => fs.createReadStream(missing).on('error', done),
          writeStream: (done) => fs.createWriteStream(missing + '/x').on('error', done),
        };
        for (const [name, call] of Object.entries(tries)) results[name] = seen(await new Promise(call));
        print();`,
    });
  });

  it('--frozen-intrinsics', async () => {
    await expectSame({
      nodeArgs: ['--no-warnings', '--frozen-intrinsics'],
      code: `${head()}
        for (const [name, call] of all) results[name] = await new Promise((resolve) => call((error) => resolve(error?.code ?? 'done')));
        const error = await new Promise((resolve) => fs.open(folder + '/missing', resolve));
        results.error = [{ ...error }, error.stack];
        results.rejected = await fs.promises.open(folder + '/missing').catch((reason) => ({ ...reason }));
        print();`,
    });
  });

  it('vm contexts: their buffers, functions and URLs are taken', async () => {
    await expectSame({
      code: `${head()}
        import vm from 'node:vm';
        const context = vm.createContext({ fs, fd, require, results, file });
        const inside = vm.runInContext(\`(async () => {
          const view = new Uint8Array(10);
          results.read = await new Promise((resolve) => fs.read(fd, view, 0, 10, 0, (error, count) => resolve([count, view[0]])));
          results.readFile = (await fs.promises.readFile(file)).length;
          results.required = require('fs') === fs;
          const handle = await fs.promises.open(file);
          results.handle = (await handle.read(view)).bytesRead;
          await handle.close();
          try { fs.read(fd, {}, 0, 1, 0); } catch (error) { results.thrown = error.code; }
        })()\`, context);
        await inside;
        print();`,
    });
  });

  it('process.permission: what is not allowed is refused, by node', async () => {
    const flag = process.allowedNodeEnvironmentFlags.has('--permission') ? '--permission' : '--experimental-permission';
    const program = path.join(folder, 'permission.cjs');
    fs.writeFileSync(
      program,
      `const fs = require('node:fs');
       const allowed = ${JSON.stringify(path.join(folder, 'data'))};
       (async () => {
         const seen = [];
         for (const file of [allowed, '/etc/passwd']) {
           seen.push(await fs.promises.readFile(file).then(({ length }) => file === allowed && length, ({ code }) => code));
           seen.push(await new Promise((resolve) => fs.open(file, (error, fd) => resolve(error?.code ?? typeof fd))));
           try { fs.writeFile(file, 'text', (error) => seen.push(error?.code)); } catch ({ code }) { seen.push(code); }
         }
         await new Promise((resolve) => setTimeout(resolve, 50));
         console.log(JSON.stringify(seen));
       })();`,
    );
    const reads = [folder, repositoryRoot].map((allowed) => `--allow-fs-read=${allowed}/*`);
    for (const addons of [[], ['--allow-addons']]) {
      // Without addons no backend can be asked for by name.
      const env = addons.length === 0 ? { IOENGINE_BACKEND: 'auto' } : {};
      const nodeArgs = ['--no-warnings', flag, ...reads, ...addons];
      const plain = await expectSame({ file: program, nodeArgs, env, served: false });
      expect(plain.json().slice(0, 2)).to.deep.equal([BYTES, 'number']);
      expect(plain.json()).to.include('ERR_ACCESS_DENIED');
    }
  });

  it('virtual files (--experimental-vfs) are node’s', async function () {
    if (!process.allowedNodeEnvironmentFlags.has('--experimental-vfs'))
      skip(this, 'this Node has no --experimental-vfs');
    const plain = await expectSame({
      nodeArgs: ['--no-warnings', '--experimental-vfs'],
      served: false,
      code: `
        import fs from 'node:fs';
        import vfs from 'node:vfs';
        const files = vfs.create();
        files.writeFileSync('/file', 'virtual');
        const file = files.mount() + '/file';
        const seen = [await fs.promises.readFile(file, 'utf8'), (await fs.createReadStream(file).toArray()).length];
        fs.open(file, (error, fd) => fs.read(fd, Buffer.alloc(7), 0, 7, 0, (failed, count, view) => {
          seen.push(String(view));
          fs.close(fd, () => console.log(JSON.stringify(seen)));
        }));`,
    });
    expect(plain.json()).to.deep.equal(['virtual', 1, 'virtual']);
  });

  it('the REPL: await, callbacks, and its history file', async () => {
    const talk = (nodeArgs, history) =>
      new Promise((resolve, reject) => {
        const env = { ...process.env, NODE_REPL_HISTORY: path.join(folder, history), NODE_OPTIONS: '', TERM: 'dumb' };
        const child = spawn(process.execPath, [...nodeArgs, '--interactive'], { cwd: repositoryRoot, env });
        let stdout = '';
        child.stdout.setEncoding('utf8').on('data', (text) => {
          stdout += text;
          // The REPL exits at the end of its input, whatever is still on its way.
          if (stdout.split(String(BYTES)).length === 3) child.stdin.end();
        });
        child.on('error', reject);
        child.on('close', (status) => resolve({ status, words: stdout.split(/\s+/).slice(4).sort() }));
        child.stdin.write(
          `(await fs.promises.readFile(${JSON.stringify(path.join(folder, 'data'))})).length\n` +
            `fs.readFile(${JSON.stringify(path.join(folder, 'data'))}, (error, data) => console.log(data.length)), 1\n` +
            "require('fs') === fs\n",
        );
      });
    const plain = await talk([], 'history-plain');
    expect(await talk(IMPORT, 'history-register')).to.deep.equal(plain);
    expect(plain.words.filter((word) => word === String(BYTES))).to.have.lengthOf(2);
  });

  it('standard input from a file', async () => {
    const program = path.join(folder, 'stdin.cjs');
    fs.writeFileSync(
      program,
      `let bytes = 0;
       process.stdin.on('data', (chunk) => (bytes += chunk.length)).on('end', () => {
         console.log(JSON.stringify([bytes, process.stdin instanceof require('fs').ReadStream]));
       });`,
    );
    const run = (nodeArgs) =>
      new Promise((resolve, reject) => {
        const stdin = fs.openSync(path.join(folder, 'large'));
        const child = spawn(process.execPath, [...nodeArgs, program], {
          cwd: repositoryRoot,
          stdio: [stdin, 'pipe', 'inherit'],
        });
        let stdout = '';
        child.stdout.on('data', (text) => {
          stdout += text;
        });
        child.on('error', reject);
        child.on('close', (status) => resolve([status, stdout]));
        fs.closeSync(stdin);
      });
    const plain = await run([]);
    expect(await run(IMPORT)).to.deep.equal(plain);
    expect(plain).to.deep.equal([0, `[${LARGE_BYTES},true]\n`]);
  });

  it('http2 sends files', async () => {
    await expectSame({
      code: `${head()}
        import http2 from 'node:http2';
        const server = http2.createServer();
        server.on('stream', async (stream, headers) => {
          if (headers[':path'] === '/file') stream.respondWithFile(large);
          else if (headers[':path'] === '/missing') stream.respondWithFile(folder + '/missing', {}, { onError: ({ code }) => { stream.respond({ code }); stream.end(); } });
          else { const handle = await fs.promises.open(large); stream.respondWithFD(handle); stream.on('close', () => handle.close()); }
        });
        await new Promise((resolve) => server.listen(0, resolve));
        const client = http2.connect('http://localhost:' + server.address().port);
        for (const path of ['/file', '/handle', '/missing']) {
          const request = client.request({ ':path': path });
          let bytes = 0;
          request.on('response', (headers) => { results[path + ' code'] = headers.code; });
          for await (const chunk of request) bytes += chunk.length;
          results[path] = bytes;
        }
        client.close();
        server.close(print);`,
    });
  });

  it('FileHandles: instanceof, readFile(handle), streams, transfer to a thread', async () => {
    await expectSame({
      code: `${head()}
        import { once } from 'node:events';
        import { MessageChannel } from 'node:worker_threads';
        const [first, second] = [await fs.promises.open(file), await fs.promises.open(file)];
        results.instanceof = [first instanceof second.constructor, first.constructor.name];
        results.readFile = (await fs.promises.readFile(first)).length;
        const stream = second.createReadStream();
        results.stream = [stream instanceof fs.ReadStream, (await stream.toArray()).length];
        const [third, fourth] = [await fs.promises.open(file), await fs.promises.open(out, 'w')];
        results.fdOption = (await fs.createReadStream(null, { fd: third }).toArray()).length;
        const writing = fourth.createWriteStream();
        results.writing = [writing instanceof fs.WriteStream, (writing.end('text'), await once(writing, 'close')).length];
        const { port1, port2 } = new MessageChannel();
        port1.postMessage(first, [first]);
        const [received] = await once(port2, 'message');
        results.received = [(await received.stat()).size, first.fd];
        await received.close();
        port1.close();
        print();`,
    });
  });

  it('Workers: terminated, or ended with I/O in flight', async () => {
    const worker = path.join(folder, 'busy-worker.cjs');
    fs.writeFileSync(
      worker,
      `const fs = require('node:fs');
       const { parentPort } = require('node:worker_threads');
       const fd = fs.openSync(${JSON.stringify(path.join(folder, 'large'))});
       for (let i = 0; i < 50; i++) fs.read(fd, Buffer.alloc(65536), 0, 65536, i * 65536, (error, count) => parentPort.postMessage(count));
       fs.readFile(${JSON.stringify(path.join(folder, 'large'))}, () => {});`,
    );
    const program = path.join(folder, 'workers.mjs');
    fs.writeFileSync(
      program,
      `import { once } from 'node:events';
       import { Worker } from 'node:worker_threads';
       const seen = [];
       for (let i = 0; i < 10; i++) {
         const worker = new Worker(${JSON.stringify(worker)});
         await once(worker, 'message');
         await worker.terminate();
       }
       let bytes = 0;
       const last = new Worker(${JSON.stringify(worker)}).on('message', (count) => { bytes += count; });
       seen.push(await once(last, 'exit'), bytes);
       console.log(JSON.stringify(seen));`,
    );
    const plain = await expectSame({ file: program, served: false });
    expect(plain.json().at(-1)).to.equal(50 * 65536);
  });

  it('an operation that is accepted is done before process.exit() and an uncaught throw end the process', async () => {
    for (const end of ['process.exit(3)', "throw new Error('end')"]) {
      const code = `${head()}
        fs.write(outFd, Buffer.alloc(100000, 'z'), 0, 100000, 0, () => {});
        ${end};`;
      const { child } = await runReporting({ code, nodeArgs: IMPORT });
      expect(child.status).to.equal(end.startsWith('throw') ? 1 : 3);
      expect(fs.statSync(path.join(folder, `out-${child.pid}`)).size, end).to.equal(100000);
    }
  });

  it('streams have the data path of those of ioengine/fs', async () => {
    const { child } = await runReporting({
      nodeArgs: IMPORT,
      code: `${head()}
        import ours from 'ioengine/fs';
        import { stats } from 'ioengine';
        import { pipeline } from 'node:stream/promises';
        const operations = () => Object.values(stats().lanes).reduce((sum, lane) => sum + lane.operations, 0);
        await new Promise((resolve) => setTimeout(resolve, 1100)); // a young file is not read ahead of
        for (const [name, api] of [['first', ours], ['ours', ours], ['register', fs]]) {
          const before = operations();
          let bytes = 0;
          for await (const chunk of api.createReadStream(large, { highWaterMark: 4096 })) bytes += chunk.length;
          results[name] = operations() - before;
          assert.equal(bytes, fs.statSync(large).size);
          await pipeline(api.createReadStream(large), api.createWriteStream(out));
          assert.ok(fs.readFileSync(out).equals(fs.readFileSync(large)));
        }
        print();`,
    });
    const { ours, register } = child.json();
    // Chunk by chunk it would be 1,024 reads.
    expect(ours).to.be.lessThan(512);
    expect(register).to.be.within(ours * 0.6, ours * 1.4);
  });

  it('the engine serves all of these', async () => {
    const { child, engine } = await runReporting({
      nodeArgs: IMPORT,
      code: `${head()} for (const [, call] of all) await new Promise(call);`,
    });
    expect(child.status, child.describe()).to.equal(0);
    expectServed(engine);
    expect(engine.lanes.delegated.operations, JSON.stringify(engine.lanes)).to.equal(0);
  });
});
