// Calls on paths and on open files start in the order of the calls, whatever they are: what is asked behind one finds
// what it has done, and it finds what was done before it. Each pair is made in one tick, the first not awaited.
import fs from 'node:fs';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { expect } from 'chai';
import { ours, oursP, require } from '../helpers/oracle.mjs';
import { removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';

const TIMES = 60;

const withCallback = (name, ...args) => promisify(ours[name])(...args);

const file = (path) => {
  fs.writeFileSync(path, 'content');
  return path;
};
const folder = (path) => {
  fs.mkdirSync(path);
  fs.writeFileSync(`${path}/f`, '');
  return path;
};

async function withDescriptor(path, work) {
  const fd = fs.openSync(path, 'r+');
  try {
    return await work(fd);
  } finally {
    fs.closeSync(fd);
  }
}

async function withHandle(path, work) {
  const handle = await oursP.open(path, 'r+');
  try {
    return await work(handle);
  } finally {
    await handle.close();
  }
}

/** Both at once; the value of the second. */
async function second(first, behind) {
  const values = await Promise.all([first, behind]);
  return values[1];
}

async function first(ahead, behind) {
  const values = await Promise.all([ahead, behind]);
  return values[0];
}

/** By name: a path that does not exist, and what the pair has to bring. */
const PAIRS = {
  'readdir, then unlink in it': [async (p) => first(withCallback('readdir', folder(p)), oursP.unlink(`${p}/f`)), ['f']],
  'readdir, then writeFile in it': [
    async (p) => first(withCallback('readdir', folder(p)), oursP.writeFile(`${p}/g`, '')),
    ['f'],
  ],
  'opendir, then rm of its file and rmdir': [
    async (p) => {
      fs.mkdirSync(p);
      const dir = await first(withCallback('opendir', p), oursP.rmdir(p));
      await dir.close();
      return dir.path === p;
    },
    true,
  ],
  'ftruncate, then stat': [
    async (p) =>
      withDescriptor(file(p), async (fd) => (await second(withCallback('ftruncate', fd, 1), oursP.stat(p))).size),
    1,
  ],
  'ftruncate, then readFile': [
    async (p) => withDescriptor(file(p), (fd) => second(withCallback('ftruncate', fd, 1), oursP.readFile(p, 'utf8'))),
    'c',
  ],
  'ftruncate, then read': [
    async (p) =>
      withDescriptor(
        file(p),
        async (fd) =>
          (await second(withCallback('ftruncate', fd, 1), withCallback('read', fd, Buffer.alloc(9), 0, 9, 0)))
            .bytesRead,
      ),
    1,
  ],
  'fchmod, then stat': [
    async (p) =>
      withDescriptor(
        file(p),
        async (fd) => (await second(withCallback('fchmod', fd, 0o600), oursP.stat(p))).mode & 0o777,
      ),
    0o600,
  ],
  'fchown, then stat': [
    async (p) =>
      withDescriptor(
        file(p),
        async (fd) => (await second(withCallback('fchown', fd, process.getuid(), 1), oursP.stat(p))).gid,
      ),
    1,
  ],
  'futimes, then stat': [
    async (p) =>
      withDescriptor(file(p), async (fd) => (await second(withCallback('futimes', fd, 1, 2), oursP.stat(p))).mtimeMs),
    2000,
  ],
  'utimes, then stat': [
    async (p) => (await second(withCallback('utimes', file(p), 1, 2), oursP.stat(p))).mtimeMs,
    2000,
  ],
  'lutimes, then lstat': [
    async (p) => (await second(withCallback('lutimes', file(p), 1, new Date(2000)), oursP.lstat(p))).mtimeMs,
    2000,
  ],
  'copyFile, then readFile of the copy': [
    async (p) => second(withCallback('copyFile', file(p), `${p}-copy`), oursP.readFile(`${p}-copy`, 'utf8')),
    'content',
  ],
  'promises.utimes, then stat': [async (p) => (await second(oursP.utimes(file(p), 1, 2), oursP.stat(p))).mtimeMs, 2000],
  'promises.copyFile, then unlink of the copy': [
    async (p) => {
      await second(oursP.copyFile(file(p), `${p}-copy`), oursP.unlink(`${p}-copy`));
      return fs.existsSync(`${p}-copy`);
    },
    false,
  ],
  'truncate of a handle, then stat': [
    async (p) => withHandle(file(p), async (handle) => (await second(handle.truncate(1), oursP.stat(p))).size),
    1,
  ],
  'chmod of a handle, then stat': [
    async (p) => withHandle(file(p), async (handle) => (await second(handle.chmod(0o600), oursP.stat(p))).mode & 0o777),
    0o600,
  ],
  'utimes of a handle, then its stat': [
    async (p) => withHandle(file(p), async (handle) => (await second(handle.utimes(1, 2), handle.stat())).mtimeMs),
    2000,
  ],
  'mkdir, then opendir': [
    async (p) => {
      const dir = await second(oursP.mkdir(p), oursP.opendir(p));
      await dir.close();
      return dir.path === p;
    },
    true,
  ],
  'mkdir, then mkdtemp in it': [
    async (p) => (await second(oursP.mkdir(p), oursP.mkdtemp(`${p}/x`))).startsWith(`${p}/x`),
    true,
  ],
  'mkdir, then statfs': [async (p) => (await second(oursP.mkdir(p), oursP.statfs(p))).bsize > 0, true],
  'mkdir, then readdir with a callback': [async (p) => second(oursP.mkdir(p), withCallback('readdir', p)), []],
  'writeFile, then utimes': [
    async (p) => {
      await second(oursP.writeFile(p, 'x'), oursP.utimes(p, 1, 2));
      return fs.statSync(p).mtimeMs;
    },
    2000,
  ],
  'writeFile, then copyFile with a callback': [
    async (p) => {
      await second(oursP.writeFile(p, 'text'), withCallback('copyFile', p, `${p}-copy`, fs.constants.COPYFILE_EXCL));
      return fs.readFileSync(`${p}-copy`, 'utf8');
    },
    'text',
  ],
  'write of a handle, then its utimes': [
    async (p) =>
      withHandle(file(p), async (handle) => {
        await second(handle.write('x'.repeat(100_000), 0), handle.utimes(1, 2));
        return fs.statSync(p).mtimeMs;
      }),
    2000,
  ],
};

describe('parity: calls that change attributes, copy and list take their turn', () => {
  let dir;
  beforeEach(() => {
    dir = temporaryDirectory();
  });
  afterEach(() => removeDirectory(dir));

  for (const [name, [pair, expected]] of Object.entries(PAIRS)) {
    it(name, async () => {
      for (let i = 0; i < TIMES; i++) expect(await pair(`${dir}/${i}`)).to.deep.equal(expected);
    });
  }

  for (const [name, watchedPath] of Object.entries({
    'the file itself': (path) => path,
    'a link to it': (path) => {
      fs.symlinkSync(path, `${path}-link`);
      return `${path}-link`;
    },
  })) {
    it(`a change behind watchFile is reported: of ${name}`, async () => {
      const PATIENCE_MS = 3000;
      const watched = [];
      for (let i = 0; i < TIMES; i++) {
        const path = file(`${dir}/${i}`);
        fs.utimesSync(path, 1, 1);
        const shown = watchedPath(path);
        watched.push(
          new Promise((resolve) => {
            const timer = setTimeout(resolve, PATIENCE_MS, 'nothing');
            ours.watchFile(shown, { interval: 10 }, ({ size }) => {
              clearTimeout(timer);
              resolve(size);
            });
          }).finally(() => ours.unwatchFile(shown)),
        );
        await oursP.appendFile(path, 'longer');
      }
      const reported = (await Promise.all(watched)).filter((size) => size === 'contentlonger'.length);
      // On a busy machine a thread of libuv's may be put aside with the first look in its hands: node misses some, too.
      expect(reported.length).to.be.at.least(TIMES - 3);
    });
  }

  it('a call that has to wait keeps its async context, and wrong arguments throw at once', async () => {
    const { AsyncLocalStorage } = await import('node:async_hooks');
    const storage = new AsyncLocalStorage();
    const made = oursP.mkdir(`${dir}/new`);
    const [store, error] = await storage.run(
      'store',
      () =>
        new Promise((resolve) =>
          ours.opendir(`${dir}/new`, (failure, opened) => {
            opened?.close();
            resolve([storage.getStore(), failure]);
          }),
        ),
    );
    await made;
    expect({ store, error }).to.deep.equal({ store: 'store', error: null });
    const pending = oursP.writeFile(`${dir}/f`, 'x');
    expect(() => ours.utimes(`${dir}/f`, {}, 1, () => {})).to.throw(TypeError);
    expect(() => ours.copyFile(`${dir}/f`, `${dir}/g`, 99, () => {})).to.throw(RangeError);
    await pending;
  });

  it('a failure ends the turn', async () => {
    for (let i = 0; i < TIMES; i++) {
      const outcomes = await Promise.allSettled([
        oursP.utimes(`${dir}/${i}`, 1, 1),
        oursP.writeFile(`${dir}/${i}`, 'x'),
        withCallback('opendir', `${dir}/${i}`),
        oursP.stat(`${dir}/${i}`),
      ]);
      expect(outcomes.map(({ status, reason }) => reason?.code ?? status)).to.deep.equal([
        'ENOENT',
        'fulfilled',
        'ENOTDIR',
        'fulfilled',
      ]);
    }
  });

  it('closeSync waits for no call of node’s, and what waited behind it is served', async () => {
    for (let i = 0; i < TIMES; i++) {
      const path = file(`${dir}/${i}`);
      const fd = fs.openSync(path, 'r+');
      await withCallback('fstat', fd);
      const times = withCallback('futimes', fd, 1, 2).catch((error) => error.code);
      const behind = withCallback('fstat', fd).catch((error) => error.code);
      const later = oursP.stat(path);
      ours.closeSync(fd);
      expect(await times).to.be.oneOf([undefined, 'EBADF']);
      expect(await behind).to.satisfy((value) => value === 'EBADF' || value.size === 7);
      expect((await later).size).to.equal(7);
    }
  });

  it('a thread that ends in the middle of them ends', async () => {
    const source = `
      const { parentPort, workerData } = require('node:worker_threads');
      const fs = require(${JSON.stringify(require.resolve('ioengine/fs'))});
      for (let i = 0; i < 500; i++) {
        fs.promises.utimes(workerData + '/f', 1, 1).catch(() => {});
        fs.promises.writeFile(workerData + '/f', 'x').catch(() => {});
        fs.opendir(workerData, () => {});
        fs.promises.unlink(workerData + '/f').catch(() => {});
      }
      parentPort.postMessage('made');`;
    for (let i = 0; i < 5; i++) {
      const worker = new Worker(source, { eval: true, workerData: dir });
      await new Promise((resolve) => worker.once('message', resolve));
      await worker.terminate();
    }
    await oursP.writeFile(`${dir}/after`, 'x');
  });

  it('what waits behind a call of node’s is written when the process ends', async () => {
    const { runSnippet } = await import('./support/child.mjs');
    const source = `
      fsp.utimes(dir + '/f', 1, 1).catch(() => {});
      fsp.writeFile(dir + '/f', 'written');
      process.exit(0);`;
    expect((await runSnippet('ours', dir, source)).code).to.equal(0);
    expect(fs.readFileSync(`${dir}/f`, 'utf8')).to.equal('written');
  });
});
