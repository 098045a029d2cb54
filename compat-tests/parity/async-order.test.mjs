// What surrounds a completion: async context, microtasks between callbacks, throwing callbacks, exit, stacks.
import fs from 'node:fs';
import { expect } from 'chai';
import { same, stackNamesTest } from '../helpers/compare.mjs';
import { SIDES } from '../helpers/oracle.mjs';
import { removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';
import { sameInChild } from './support/child.mjs';

const content = (dir) => fs.writeFileSync(`${dir}/file`, Buffer.alloc(100_000, 7));

/** Every callback function, as code for a child: `call(name, callback)`. */
const CALLS = `
  import real from 'node:fs';
  const fd = real.openSync(dir + '/file', 'r+');
  const small = () => Buffer.alloc(100, 1);
  const calls = {
    read: (cb) => fs.read(fd, small(), 0, 100, 0, cb),
    write: (cb) => fs.write(fd, small(), 0, 100, 0, cb),
    'write string': (cb) => fs.write(fd, 'text', 0, cb),
    readv: (cb) => fs.readv(fd, [small()], 0, cb),
    writev: (cb) => fs.writev(fd, [small()], 0, cb),
    fsync: (cb) => fs.fsync(fd, cb),
    fdatasync: (cb) => fs.fdatasync(fd, cb),
    open: (cb) => fs.open(dir + '/file', (error, opened) => { if (opened) real.closeSync(opened); cb(error); }),
    close: (cb) => fs.close(real.openSync(dir + '/file'), cb),
    readFile: (cb) => fs.readFile(dir + '/file', cb),
    writeFile: (cb) => fs.writeFile(dir + '/other', 'text', cb),
    appendFile: (cb) => fs.appendFile(dir + '/other', 'text', cb),
    'read, failing': (cb) => fs.read(54321, small(), 0, 100, 0, cb),
    'open, failing': (cb) => fs.open(dir + '/absent', cb),
    stat: (cb) => fs.stat(dir + '/file', cb),
    readdir: (cb) => fs.readdir(dir, { withFileTypes: true }, cb),
    truncate: (cb) => fs.truncate(dir + '/other', 2, cb),
    rm: (cb) => fs.rm(dir + '/folder', { recursive: true, force: true }, cb),
  };
`;

describe('parity: async context', () => {
  it('AsyncLocalStorage follows every callback and promise', async () => {
    const seen = await sameInChild(
      `${CALLS}
      const storage = new AsyncLocalStorage();
      for (const [name, call] of Object.entries(calls)) {
        const stores = await Promise.all([1, 2, 3].map((id) => new Promise((resolve) =>
          storage.run(name + id, () => call(() => resolve(storage.getStore()))))));
        log(name, stores.join());
      }
      const handle = await fsp.open(dir + '/file', 'r+');
      const promised = { read: () => handle.read(small()), write: () => handle.write('x'), readv: () => handle.readv([small()]), sync: () => handle.sync(), readFile: () => fsp.readFile(dir + '/file'), open: () => fsp.open(dir + '/file').then((opened) => opened.close()), failing: () => fsp.open(dir + '/absent').catch(() => {}) };
      for (const [name, call] of Object.entries(promised)) {
        log('promise', name, await storage.run(name, async () => { await call(); return storage.getStore(); }));
        log('then', name, await storage.run(name, () => call().then(() => storage.getStore())));
      }
      storage.run('stream', () => fs.createReadStream(dir + '/file').on('open', () => log('open', storage.getStore())).once('data', () => log('data', storage.getStore())).on('close', () => log('close', storage.getStore())));
      log('outside', storage.getStore());`,
      { prepare: content },
    );
    expect(seen.stdout).to.include('read read1,read2,read3');
  });

  it('async_hooks see before and after around every callback, in balance', async () => {
    await sameInChild(
      `${CALLS}
      import { executionAsyncId, triggerAsyncId } from 'node:async_hooks';
      // Node 26 makes one job of each of these, which the caller has triggered (docs/compatibility.md): here it has no
      // id.
      const jobs = Number(process.versions.node.split('.')[0]) >= 26 ? ['readFile', 'writeFile', 'appendFile'] : [];
      for (const [name, call] of Object.entries(calls)) {
        const outside = executionAsyncId();
        await new Promise((resolve) => call(() => { const triggered = triggerAsyncId() > 0 || (side === 'node' && jobs.includes(name)); log(name, executionAsyncId() > 0, executionAsyncId() !== outside, triggered); resolve(); }));
      }`,
      { prepare: content },
    );
  });
});

describe('parity: order of callbacks and microtasks', () => {
  it('nextTicks and microtasks of one callback run before the next callback', async () => {
    const seen = await sameInChild(
      `${CALLS}
      for (const [name, call] of Object.entries(calls)) {
        const order = [];
        await new Promise((resolve) => {
          let left = 8;
          for (let i = 0; i < 8; i++) call(() => {
            order.push('callback');
            Promise.resolve().then(() => order.push('microtask')).then(() => order.push('second microtask'));
            process.nextTick(() => order.push('tick'));
            if (--left === 0) setImmediate(resolve);
          });
        });
        log(name, order.join());
      }`,
      { prepare: content },
    );
    const line = /^read (.*)$/m.exec(seen.stdout)[1];
    expect(line).to.equal(Array(8).fill('callback,tick,microtask,second microtask').join());
  });

  it('no callback runs inside the call', async () => {
    await sameInChild(
      `${CALLS}
      for (const [name, call] of Object.entries(calls)) {
        let inside = true;
        await new Promise((resolve) => { call(() => { log(name, inside, 'before the microtasks of this turn:', early); resolve(); }); var early = true; Promise.resolve().then(() => { early = false; }); inside = false; });
      }`,
      { prepare: content },
    );
  });

  it('a throwing callback is an uncaughtException and the others still run', async () => {
    const seen = await sameInChild(
      `${CALLS}
      const caught = [];
      process.on('uncaughtException', (error, origin) => caught.push(error.message + ' ' + origin));
      for (const [name, call] of Object.entries(calls)) {
        let ran = 0;
        caught.length = 0;
        for (let i = 0; i < 6; i++) call(() => { ran++; if (i % 2 === 0) throw new Error('thrown by ' + name); });
        for (let wait = 0; wait < 4000 && ran < 6; wait++) await new Promise((resolve) => setTimeout(resolve, 5));
        await new Promise((resolve) => setTimeout(resolve, 5));
        log(name, ran, caught.join());
      }`,
      { prepare: content },
    );
    expect(seen.stdout).to.include('read 6 thrown by read uncaughtException');
  });

  it('an unhandled throw in a callback ends the process as in node', async () => {
    const seen = await sameInChild(
      `${CALLS}
      log('start');
      calls.read(() => { log('callback'); throw new Error('fatal'); });`,
      { prepare: content, check: (_dir, result) => expect(result.stderr).to.include('Error: fatal') },
    );
    expect(seen.code).to.equal(1);
  });

  it('an unhandled rejection of ours is one', async () => {
    const seen = await sameInChild(`log('start'); fsp.readFile(dir + '/absent');`, {
      check: (dir, result) =>
        expect(result.stderr).to.include(`ENOENT: no such file or directory, open '${dir}/absent'`),
    });
    expect(seen.code).to.equal(1);
  });

  it('the process ends when the last operation has ended, and not before', async () => {
    const seen = await sameInChild(
      `log('start');
      fs.readFile(dir + '/file', (error, bytes) => { log('read', bytes.length); fs.writeFile(dir + '/out', bytes, () => log('written')); });`,
      { prepare: content, check: (dir) => expect(fs.statSync(`${dir}/out`).size).to.equal(100_000) },
    );
    expect(seen.stdout).to.equal('start\nread 100000\nwritten\n');
  });

  it('writes that were accepted before process.exit() are done', async () => {
    await sameInChild(
      `import real from 'node:fs';
      const fd = real.openSync(dir + '/out', 'w');
      for (let i = 0; i < 50; i++) fs.write(fd, Buffer.alloc(1000, i), 0, 1000, i * 1000, () => {});
      log('exiting');
      process.exit(3);`,
      {
        check: (dir) => {
          const bytes = fs.readFileSync(`${dir}/out`);
          for (let i = 0; i < 50; i++)
            expect(bytes.subarray(i * 1000, i * 1000 + 1000).equals(Buffer.alloc(1000, i)), `block ${i}`).to.equal(
              true,
            );
        },
      },
    );
  });

  it('I/O makes progress while JS is busy', async () => {
    await sameInChild(
      `import real from 'node:fs';
      const fd = real.openSync(dir + '/out', 'w');
      fs.write(fd, 'while busy', 0, () => log('callback'));
      const until = Date.now() + 30000;
      while (real.statSync(dir + '/out').size === 0 && Date.now() < until) {}
      log('size while busy', real.statSync(dir + '/out').size);`,
    );
  });

  it('await fh.read() in a loop lets timers and immediates run', async () => {
    await sameInChild(
      `let fired = 0;
      const handle = await fsp.open(dir + '/file');
      setTimeout(() => { fired++; }, 1);
      setImmediate(() => { fired++; });
      const until = Date.now() + 30000;
      const buffer = Buffer.alloc(100);
      while (fired < 2 && Date.now() < until) await handle.read(buffer, 0, 100, 0);
      log('fired', fired);
      await handle.close();`,
      { prepare: content },
    );
  });
});

describe('parity: stacks of errors', () => {
  // A closure per call, awaited here, so that an async stack has a frame of this file to name.
  const failures = {
    'promises.open': async ({ fsp }, dir) => await fsp.open(`${dir}/absent`),
    'promises.readFile': async ({ fsp }, dir) => await fsp.readFile(`${dir}/absent`),
    'promises.readFile of a directory': async ({ fsp }, dir) => await fsp.readFile(dir),
    'promises.writeFile': async ({ fsp }, dir) => await fsp.writeFile(`${dir}/absent/x`, 'x'),
    'promises.appendFile': async ({ fsp }, dir) => await fsp.appendFile(`${dir}/absent/x`, 'x'),
    'handle.write, read-only': async ({ fsp }, dir) => withHandle(fsp, dir, async (handle) => await handle.write('x')),
    'handle.writev, read-only': async ({ fsp }, dir) =>
      withHandle(fsp, dir, async (handle) => await handle.writev([Buffer.alloc(1)])),
    'handle.read of a directory': async ({ fsp }, dir) =>
      withHandle(fsp, `${dir}/..`, async (handle) => await handle.read(Buffer.alloc(4)), ''),
    'handle.truncate, read-only': async ({ fsp }, dir) =>
      withHandle(fsp, dir, async (handle) => await handle.truncate(1)),
    'handle.read, invalid': async ({ fsp }, dir) => withHandle(fsp, dir, async (handle) => await handle.read('no')),
    'fs.read, invalid': async (side) => side.fs.read('no', () => {}),
    'fs.open, invalid': async (side) => side.fs.open(5, 'r', () => {}),
  };
  async function withHandle(fsp, dir, step, name = '/file') {
    const handle = await fsp.open(`${dir}${name}`, 'r');
    try {
      return await step(handle);
    } finally {
      await handle.close();
    }
  }
  let directory;
  before(() => {
    directory = temporaryDirectory();
    content(directory);
  });
  after(() => removeDirectory(directory));

  for (const [label, fail] of Object.entries(failures)) {
    it(`${label}: a stack with frames, naming the caller where node's does`, async () => {
      const named = {};
      for (const side of SIDES) {
        const error = await fail(side, directory).then(
          () => null,
          (reason) => reason,
        );
        expect(error, side.name).to.be.instanceOf(Error);
        named[side.name] = { head: error.stack.split('\n')[0], caller: stackNamesTest(error) };
      }
      expect(named.ours.head).to.equal(named.node.head);
      if (named.node.caller) expect(named.ours.caller, 'the stack of ours names no line of the test').to.equal(true);
    });
  }
});

describe('parity: many operations at once', () => {
  same('2,000 reads queued in one turn all settle with the right bytes', async (side) => {
    const file = side.file('numbers');
    const bytes = Buffer.alloc(2000 * 8);
    for (let i = 0; i < 2000; i++) bytes.writeDoubleLE(i, i * 8);
    fs.writeFileSync(file, bytes);
    const handle = await side.fsp.open(file);
    const values = await Promise.all(
      Array.from({ length: 2000 }, async (_, i) =>
        (await handle.read(Buffer.alloc(8), 0, 8, i * 8)).buffer.readDoubleLE(0),
      ),
    );
    await handle.close();
    return { right: values.every((value, index) => value === index) };
  });
});
