// When a result known at once may be seen: behind the nextTicks queued before the call, an error behind the immediates,
// a callback from the poll phase; and without any timer function that a program may have replaced.
import fs from 'node:fs';
import { expect } from 'chai';
import { same } from '../helpers/compare.mjs';
import { removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';
import { runSnippet, sameInChild } from './support/child.mjs';

const WAYS = [
  { way: 'import', side: 'ours', nodeArguments: [] },
  { way: 'register', side: 'node', nodeArguments: ['--import', 'ioengine/register'] },
];

function prepare(dir) {
  fs.writeFileSync(`${dir}/file`, 'x'.repeat(5000));
  fs.writeFileSync(`${dir}/large`, Buffer.alloc(1_500_000, 1));
  fs.mkdirSync(`${dir}/folder`);
}

async function outputOf({ side, nodeArguments }, source) {
  const dir = temporaryDirectory();
  try {
    prepare(dir);
    const child = await runSnippet(side, dir, source, { nodeArguments });
    expect({ code: child.code, stderr: child.stderr }).to.deep.equal({ code: 0, stderr: '' });
    return child.stdout.trim();
  } finally {
    removeDirectory(dir);
  }
}

/** Promises that succeed, by name; `h` is a handle of `file`. */
const SUCCEED = `{
  access: () => fsp.access(dir + '/file'), stat: () => fsp.stat(dir + '/file'), lstat: () => fsp.lstat(dir + '/file'),
  readFile: () => fsp.readFile(dir + '/file'), text: () => fsp.readFile(dir + '/file', 'utf8'),
  writeFile: () => fsp.writeFile(dir + '/new', 'x'), readdir: () => fsp.readdir(dir), mkdir: () => fsp.mkdir(dir, { recursive: true }),
  open: async () => { const x = await fsp.open(dir + '/file'); await x.close(); },
  read: () => h.read(Buffer.alloc(100), 0, 100, 0), readv: () => h.readv([Buffer.alloc(100)], 0), write: () => h.write('y', 0),
  'stat of a handle': () => h.stat(), 'readFile of a handle': () => h.readFile(), 'read at the end': () => h.read(Buffer.alloc(9), 0, 9, 1e6),
}`;

/** Promises that fail. Without cp: node's own, which serves it on Node 26, is rejected ahead of immediates. */
const FAIL = `{
  access: () => fsp.access(dir + '/no'), stat: () => fsp.stat(dir + '/no'), lstat: () => fsp.lstat(dir + '/no'), open: () => fsp.open(dir + '/no'),
  readFile: () => fsp.readFile(dir + '/no'), 'readFile of a folder': () => fsp.readFile(dir + '/folder'),
  readdir: () => fsp.readdir(dir + '/no'), rm: () => fsp.rm(dir + '/no'), mkdir: () => fsp.mkdir(dir + '/folder'), rmdir: () => fsp.rmdir(dir + '/no'),
  unlink: () => fsp.unlink(dir + '/no'), rename: () => fsp.rename(dir + '/no', dir + '/b'), realpath: () => fsp.realpath(dir + '/no'),
  readlink: () => fsp.readlink(dir + '/no'), chmod: () => fsp.chmod(dir + '/no', 0o600), truncate: () => fsp.truncate(dir + '/no'),
  writeFile: () => fsp.writeFile(dir + '/no/x', 'y'),
  'read of a handle': () => write.read(Buffer.alloc(9), 0, 9, 0), 'truncate of a handle': () => h.truncate(5),
}`;

describe('parity: what is known at once', () => {
  same('a promise settles behind the nextTicks queued before the call, in microtasks too', async (side) => {
    const dir = side.dir;
    prepare(dir);
    const { fsp } = side;
    const h = await fsp.open(`${dir}/file`, 'r+');
    const calls = new Function('fsp', 'dir', 'h', `return ${SUCCEED}`)(fsp, dir, h);
    const late = {};
    for (const [name, call] of Object.entries(calls)) {
      for (let i = 0; i < 10; i++) {
        await new Promise((resolve) => setImmediate(resolve));
        await null;
        let ticks = 0;
        process.nextTick(() => ticks++);
        const promise = call();
        process.nextTick(() => ticks++);
        await promise;
        late[name] = (late[name] ?? 0) + (ticks === 2 ? 0 : 1);
      }
    }
    await h.close();
    return late;
  });

  it('a call on a path settles once the loop has polled, behind the immediates', async () => {
    const seen = await outputOf(
      WAYS[0],
      `const h = await fsp.open(dir + '/file', 'r+');
      const { access, stat, lstat, readFile, text, open } = ${SUCCEED};
      for (const [name, call] of Object.entries({ access, stat, lstat, readFile, text, open })) {
        await call(); // what the pool finds out the first time may come sooner, as in node
        await call();
        for (let i = 0; i < 10; i++) {
          await new Promise((resolve) => setImmediate(resolve));
          let immediate = false;
          setImmediate(() => { immediate = true; });
          await call();
          if (!immediate) log(name);
        }
      }
      await h.close();
      log('end');`,
    );
    expect(seen).to.equal('end');
  });

  for (const way of WAYS) {
    it(`an error may be caught behind an immediate: ${way.way}`, async () => {
      const seen = await outputOf(
        way,
        `const h = await fsp.open(dir + '/file'), write = await fsp.open(dir + '/w', 'w');
        let unhandled = 0;
        process.on('unhandledRejection', () => unhandled++);
        for (const [name, call] of Object.entries(${FAIL})) {
          unhandled = 0;
          for (let i = 0; i < 10; i++) {
            const from = [() => {}, () => null, () => new Promise((r) => setImmediate(r)), () => new Promise((r) => setTimeout(r, 1))][i % 4];
            await from();
            const promise = call();
            await new Promise((resolve) => setImmediate(resolve));
            await promise.then(() => log(name, 'succeeded'), () => {});
            await new Promise((resolve) => setImmediate(resolve));
          }
          if (unhandled > 0) log(name, unhandled);
        }
        await h.close(); await write.close();
        log('end');`,
      );
      expect(seen).to.equal('end');
    });

    it(`what a callback asks for comes back behind its immediates: ${way.way}`, async () => {
      const seen = await outputOf(
        way,
        `import real from 'node:fs';
        const path = dir + '/file', fd = real.openSync(path, 'r+'), h = await fsp.open(path);
        const calls = {
          read: (cb) => fs.read(fd, Buffer.alloc(9), 0, 9, 0, cb), write: (cb) => fs.write(fd, 'x', cb), fstat: (cb) => fs.fstat(fd, cb),
          stat: (cb) => fs.stat(path, cb), access: (cb) => fs.access(path, cb), readFile: (cb) => fs.readFile(path, cb),
          'open and close': (cb) => fs.open(path, (error, opened) => {
            let immediate = false;
            setImmediate(() => { immediate = true; });
            fs.close(opened, () => { if (!immediate) log('close'); cb(); });
          }),
          'close of another': (cb) => fs.close(real.openSync(path), cb), 'promise of a stat': (cb) => fsp.stat(path).then(cb),
          'read of a handle and then stat': (cb) => h.read(Buffer.alloc(9), 0, 9, 0).then(() => fs.stat(path, cb)),
        };
        for (const [name, call] of Object.entries(calls)) {
          let sooner = 0;
          for (let i = 0; i < 40; i++) {
            await new Promise((done) => fs.stat(path, () => {
              let immediate = false;
              setImmediate(() => { immediate = true; });
              call(() => { if (!immediate) sooner++; setImmediate(done); });
            }));
          }
          if (sooner > 0) log(name, sooner);
        }
        await h.close();
        log('end');`,
      );
      expect(seen).to.equal('end');
    });

    it(`in a callback setImmediate comes before a timer that is due: ${way.way}`, async () => {
      const seen = await outputOf(
        way,
        `import real from 'node:fs';
        const fd = real.openSync(dir + '/file', 'r+'), large = Buffer.alloc(1_500_000), never = new AbortController().signal;
        const calls = {
          readFile: (cb) => fs.readFile(dir + '/file', cb), 'readFile, large': (cb) => fs.readFile(dir + '/large', cb),
          'readFile, signal': (cb) => fs.readFile(dir + '/file', { signal: never }, cb), 'readFile of a descriptor': (cb) => fs.readFile(real.openSync(dir + '/file'), cb),
          'readFile of a folder': (cb) => fs.readFile(dir, cb), 'readFile, absent': (cb) => fs.readFile(dir + '/no', cb),
          'writeFile, large': (cb) => fs.writeFile(dir + '/w', large, cb), 'writeFile, signal': (cb) => fs.writeFile(dir + '/w', 'x', { signal: never }, cb),
          'appendFile of a descriptor': (cb) => fs.appendFile(fd, 'x', cb), 'writeFile, failing': (cb) => fs.writeFile(dir + '/no/no', 'x', cb),
          stat: (cb) => fs.stat(dir + '/file', cb), 'stat, absent': (cb) => fs.stat(dir + '/no', cb), access: (cb) => fs.access(dir + '/file', cb), exists: (cb) => fs.exists(dir + '/file', cb),
          read: (cb) => fs.read(fd, Buffer.alloc(9), 0, 9, 0, cb), 'read, failing': (cb) => fs.read(54321, Buffer.alloc(9), 0, 9, 0, cb),
          cp: (cb) => fs.cp(dir + '/file', dir + '/copy', cb), 'cp of a tree': (cb) => fs.cp(dir + '/folder', dir + '/tree', { recursive: true }, cb), rm: (cb) => fs.rm(dir + '/tree', { recursive: true, force: true }, cb),
          mkdir: (cb) => fs.mkdir(dir + '/a/b/c', { recursive: true }, cb), unlink: (cb) => fs.unlink(dir + '/no', cb), realpath: (cb) => fs.realpath(dir + '/file', cb), readdir: (cb) => fs.readdir(dir, cb),
        };
        for (const [name, call] of Object.entries(calls)) {
          for (let i = 0; i < 10; i++) {
            const first = await new Promise((resolve) => call(() => {
              setTimeout(resolve, 0, 'timer');
              setImmediate(resolve, 'immediate');
              for (const until = performance.now() + 1.5; performance.now() < until; );
            }));
            if (first !== 'immediate') log(name, first);
          }
        }
        log('end');`,
      );
      expect(seen).to.equal('end');
    });
  }

  it('no timer function that a program has replaced is used', async () => {
    await sameInChild(
      `import timers from 'node:timers';
      import real from 'node:fs';
      import { syncBuiltinESMExports } from 'node:module';
      await fsp.readFile(dir + '/file'); // whatever is loaded at the first call is there
      const { setTimeout: wait, setImmediate: soon } = globalThis, { nextTick } = process;
      const fd = real.openSync(dir + '/file', 'r+'), large = Buffer.alloc(1_500_000), signal = new AbortController().signal;
      const calls = {
        'readFile, callback': () => new Promise((r) => fs.readFile(dir + '/file', r)), 'large, callback': () => new Promise((r) => fs.readFile(dir + '/large', r)),
        'absent, callback': () => new Promise((r) => fs.readFile(dir + '/no', r)), 'signal, callback': () => new Promise((r) => fs.readFile(dir + '/file', { signal }, r)),
        'readFile': () => fsp.readFile(dir + '/file'), 'readFile, signal': () => fsp.readFile(dir + '/file', { signal }), 'stat': () => fsp.stat(dir + '/file'),
        'writeFile, large': () => new Promise((r) => fs.writeFile(dir + '/w', large, r)), 'writeFile, signal': () => fsp.writeFile(dir + '/w', 'x', { signal }),
        'appendFile of a descriptor': () => new Promise((r) => fs.appendFile(fd, 'x', r)), 'open': async () => { const h = await fsp.open(dir + '/file'); await h.read(Buffer.alloc(9), 0, 9, 0); await h.stat(); await h.readFile(); await h.close(); },
        'failing': () => fsp.stat(dir + '/no').catch(() => {}), 'rm': () => fsp.rm(dir + '/no', { force: true }), 'mkdir': () => fsp.mkdir(dir + '/a/b', { recursive: true }), 'unlink': () => new Promise((r) => fs.unlink(dir + '/no', r)),
      };
      for (const name of ['setTimeout', 'setImmediate', 'setInterval']) globalThis[name] = timers[name] = () => ({});
      globalThis.queueMicrotask = process.nextTick = () => {};
      syncBuiltinESMExports();
      for (const [name, call] of Object.entries(calls)) {
        const timeout = new Promise((resolve) => wait(resolve, 10_000, 'hangs'));
        log(name, await Promise.race([call().then(() => 'settled'), timeout]));
      }
      process.exit(0);`,
      { prepare },
    );
  });
});

/** What a process that runs `source` on one side leaves behind. */
async function endOf(side, source) {
  const dir = temporaryDirectory();
  try {
    prepare(dir);
    const { code, stderr } = await runSnippet(side, dir, source);
    return { code, stderr: stderr.replaceAll(dir, 'DIR') };
  } finally {
    removeDirectory(dir);
  }
}

describe('parity: errors that nobody listens for', () => {
  for (const [name, source] of Object.entries({
    'a read stream that cannot be opened': `fs.createReadStream(dir + '/no');`,
    'a write stream that cannot be opened': `fs.createWriteStream(dir + '/no/no');`,
    'a read stream over a folder': `fs.createReadStream(dir + '/folder').resume();`,
    'a read stream of a closed descriptor': `fs.createReadStream('', { fd: 54321 }).resume();`,
    'streams that cannot be opened, among other calls': `for (let i = 0; i < 9; i++) {
      fs.createReadStream(dir + '/no');
      fs.access(dir + '/no', () => {});
      fs.read(54321, Buffer.alloc(9), 0, 9, 0, () => {});
    }`,
    'a write stream over a descriptor for reading': `fs.createWriteStream('', { fd: fs.openSync(dir + '/file') }).write('x');`,
  })) {
    it(`${name}: the process ends with node's own text`, async () => {
      const [node, ours] = [await endOf('node', source), await endOf('ours', source)];
      expect(node.stderr).to.include("Unhandled 'error' event");
      expect(ours).to.deep.equal(node);
    });
  }

  // Further down are the frames of whoever made the error or called back.
  for (const [name, source] of Object.entries({
    'a write stream destroyed when it opens': `const s = fs.createWriteStream(dir + '/w'); s.on('open', () => s.destroy(new Error('mine')));`,
    'a write stream of a handle for reading': `(await fsp.open(dir + '/file')).createWriteStream().write('x');`,
    'streams of handles for reading': `
      const handles = await Promise.all(Array.from({ length: 9 }, () => fsp.open(dir + '/file')));
      for (const handle of handles) handle.createWriteStream().write('x');`,
    'a nextTick after a callback': `fs.stat(dir + '/file', () => process.nextTick(() => { throw 'mine'; }));`,
    'a nextTick after a promise': `fsp.readdir(dir).then(() => process.nextTick(() => { throw 'mine'; }));`,
    'a microtask after a callback': `fs.access(dir + '/file', () => queueMicrotask(() => { throw 'mine'; }));`,
  })) {
    it(`${name}: the line that threw is printed`, async () => {
      const ends = [await endOf('node', source), await endOf('ours', source)];
      const [node, ours] = ends.map(({ code, stderr }) => ({ code, lines: stderr.trim().split('\n').slice(0, 4) }));
      expect(node.lines[0]).to.match(/:[0-9]+$/);
      expect(ours).to.deep.equal(node);
    });
  }
});

describe('parity: the stack of an error that a callback gets', () => {
  it('has no frames of whoever called back', () =>
    sameInChild(
      `
      const signal = new AbortController().signal;
      const large = Buffer.alloc(2e6);
      const readOnly = fs.openSync(dir + '/file');
      for (const [name, call] of Object.entries({
        readFile: (done) => fs.readFile(dir + '/no', done), 'readFile, signal': (done) => fs.readFile(dir + '/no', { signal }, done),
        'readFile of a folder': (done) => fs.readFile(dir + '/folder', done), 'readFile, closed': (done) => fs.readFile(54321, done),
        writeFile: (done) => fs.writeFile(dir + '/no/x', 'y', done), 'writeFile, large': (done) => fs.writeFile(dir + '/no/x', large, done),
        'writeFile, signal': (done) => fs.writeFile(dir + '/no/x', 'y', { signal }, done), appendFile: (done) => fs.appendFile(dir + '/no/x', 'y', done),
        'writeFile, read-only': (done) => fs.writeFile(readOnly, 'y', done), stat: (done) => fs.stat(dir + '/no', done),
        access: (done) => fs.access(dir + '/no', done), open: (done) => fs.open(dir + '/no', done), mkdir: (done) => fs.mkdir(dir + '/folder', done),
        unlink: (done) => fs.unlink(dir + '/no', done), rename: (done) => fs.rename(dir + '/no', dir + '/b', done), realpath: (done) => fs.realpath(dir + '/no', done),
        readdir: (done) => fs.readdir(dir + '/no', done), truncate: (done) => fs.truncate(dir + '/no', done), read: (done) => fs.read(54321, Buffer.alloc(9), 0, 9, 0, done),
        write: (done) => fs.write(readOnly, 'y', done), fsync: (done) => fs.fsync(54321, done), close: (done) => fs.close(54321, done),
      })) log(name, await new Promise((resolve) => call((error) => resolve(error.stack))));
      `,
      { prepare },
    ));
});
