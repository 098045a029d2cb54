// Arguments that are not what they seem: a path's bytes or options that the program changes behind the call, getters
// that throw, options that are inherited, and values that only node may judge.
import fs from 'node:fs';
import { expect } from 'chai';
import { same } from '../helpers/compare.mjs';
import { ours, oursP } from '../helpers/oracle.mjs';
import { removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';
import { closing } from './support/values.mjs';

/** What comes behind the path. */
const ON_PATHS = {
  stat: [],
  lstat: [],
  access: [],
  readFile: [],
  readdir: [],
  readlink: [],
  opendir: [],
  open: ['r'],
  statfs: [],
  unlink: [],
  rmdir: [],
  rm: [],
  truncate: [],
  chmod: [0o600],
  chown: [0, 0],
  lchown: [0, 0],
  utimes: [1, 1],
  lutimes: [1, 1],
};
const ON_TWO_PATHS = ['rename', 'link', 'symlink', 'copyFile', 'cp'];

/** Calls, then puts other letters of the same length into the path's bytes. */
function calling(run, paths) {
  const promise = run(...paths);
  for (const path of paths) path.fill('Z', path.lastIndexOf('/') + 1);
  return promise;
}

async function both(side, name, paths, rest) {
  const make = () => paths.map((path) => Buffer.from(path));
  return {
    promise: await side.attempt(() => calling((...those) => side.fsp[name](...those, ...rest), make())),
    callback: await side.callback((cb) => calling((...those) => side.fs[name](...those, ...rest, cb), make())),
  };
}

const bomb = (key) => ({
  get [key]() {
    throw new Error(`the getter of ${key}`);
  },
});

/** Options that each function looks at, with the arguments in front of them. */
const WITH_GETTERS = {
  stat: [['bigint'], 'file'],
  lstat: [['bigint'], 'file'],
  statfs: [['bigint'], '.'],
  readFile: [['encoding', 'flag', 'signal'], 'file'],
  writeFile: [['encoding', 'mode', 'flag', 'signal', 'flush'], 'new', 'data'],
  readdir: [['encoding', 'withFileTypes', 'recursive'], '.'],
  mkdir: [['recursive', 'mode'], 'made'],
  rm: [['recursive', 'force', 'maxRetries', 'retryDelay'], 'file'],
  mkdtemp: [['encoding'], 'temporary-'],
  readlink: [['encoding'], 'link'],
  realpath: [['encoding'], 'link'],
  cp: [['recursive', 'filter', 'mode', 'force', 'dereference', 'verbatimSymlinks'], 'file', 'copy'],
};

const OF_HANDLES = {
  read: [['buffer', 'offset', 'length', 'position']],
  write: [['offset', 'length', 'position'], Buffer.from('a')],
  readFile: [['encoding', 'signal', 'flag']],
  writeFile: [['encoding', 'signal', 'flag', 'flush', 'mode'], 'data'],
  appendFile: [['encoding', 'signal', 'flag', 'flush'], 'data'],
  stat: [['bigint']],
};

/** Whether it was thrown at once or came as a rejection. */
async function thrownOrRejected(call) {
  let promise;
  try {
    promise = call();
  } catch (error) {
    return `thrown: ${error.message}`;
  }
  return promise.then(
    (value) => `done: ${typeof value}`,
    (error) => `rejected: ${error.message}`,
  );
}

function prepare(side) {
  side.put('file', 'content');
  fs.symlinkSync('file', side.file('link'));
}

describe('parity: arguments that change or throw', () => {
  same('the bytes of a path, used again behind the call', async (side) => {
    const seen = {};
    for (const [name, rest] of Object.entries(ON_PATHS)) seen[name] = await both(side, name, [side.file('none')], rest);
    for (const name of ON_TWO_PATHS) {
      seen[name] = await both(side, name, [side.file('none'), side.file('absent/none')], []);
    }
    return seen;
  });

  same("the bytes of a path are the program's own in Dir and Dirent", async (side) => {
    const path = Buffer.from(side.file('.'));
    side.put('file', '');
    const directory = await side.fsp.opendir(path);
    await directory.close();
    const [entry] = await side.fsp.readdir(path, { withFileTypes: true });
    return [directory.path === path, (entry.parentPath ?? entry.path) === path];
  });

  same('options of rm, made more dangerous behind the call', async (side) => {
    const seen = {};
    for (const form of ['promise', 'callback']) {
      for (const changes of [{ force: true }, { recursive: true }, { recursive: true, force: true }]) {
        for (const name of ['tree', 'none']) {
          fs.mkdirSync(side.file('tree'), { recursive: true });
          side.put('tree/kept', '');
          const options = {};
          const remove = (...last) => {
            const promise = side[form === 'promise' ? 'fsp' : 'fs'].rm(side.file(name), options, ...last);
            Object.assign(options, changes);
            return promise;
          };
          const result = form === 'promise' ? await side.attempt(() => remove()) : await side.callback(remove);
          seen[`${form} ${JSON.stringify(changes)} ${name}`] = [result, fs.existsSync(side.file('tree/kept'))];
        }
      }
    }
    return seen;
  });

  it('rm without `recursive` leaves a tree, whatever its options and its path become', async () => {
    const folder = temporaryDirectory();
    try {
      for (const name of ['tree', 'other']) fs.mkdirSync(`${folder}/${name}/below`, { recursive: true });
      const options = { recursive: false };
      const path = Buffer.from(`${folder}/tree?`).subarray(0, -1);
      const promise = oursP.rm(path, options);
      options.recursive = true;
      const again = Buffer.from(`${folder}/other`).copy(path);
      expect(again).to.equal(path.length);
      expect((await promise.catch((error) => error)).path).to.equal(`${folder}/tree`);
      await new Promise((resolve) => {
        const values = { recursive: false };
        ours.rm(`${folder}/tree`, values, resolve);
        values.recursive = true;
      });
      expect(fs.readdirSync(folder).sort()).to.deep.equal(['other', 'tree']);
    } finally {
      removeDirectory(folder);
    }
  });

  same('getters that throw: promises reject, callback functions throw', async (side) => {
    prepare(side);
    const seen = {};
    for (const [name, [keys, ...names]] of Object.entries(WITH_GETTERS)) {
      const args = names.map((arg) => (arg === 'data' ? arg : side.file(arg)));
      for (const key of keys) {
        seen[`promises.${name} ${key}`] = await thrownOrRejected(() => side.fsp[name](...args, bomb(key)));
        seen[`${name} ${key}`] = await side.callback((cb) => side.fs[name](...args, bomb(key), cb));
      }
    }
    seen.iterable = await thrownOrRejected(() => side.fsp.writeFile(side.file('new'), bomb(Symbol.iterator)));
    return seen;
  });

  same('getters that throw in arguments of a FileHandle', async (side) => {
    prepare(side);
    const handle = await side.fsp.open(side.file('file'), 'r+');
    return closing(handle, async () => {
      const seen = {};
      for (const [name, [keys, ...args]] of Object.entries(OF_HANDLES)) {
        for (const key of keys) seen[`${name} ${key}`] = await thrownOrRejected(() => handle[name](...args, bomb(key)));
      }
      const views = new Proxy([Buffer.alloc(2)], { get: (target, key) => bomb(key)[key] ?? target });
      for (const name of ['readv', 'writev']) seen[name] = await thrownOrRejected(() => handle[name](views));
      return seen;
    });
  });

  same('rm does not count inherited options', async (side) => {
    const seen = {};
    for (const options of [{ force: true }, { recursive: true }, { recursive: true, force: true }]) {
      for (const name of ['tree', 'none']) {
        fs.mkdirSync(side.file('tree/below'), { recursive: true });
        const args = [side.file(name), Object.create(options)];
        seen[`${JSON.stringify(options)} ${name}`] = {
          promise: await side.attempt(() => side.fsp.rm(...args)),
          left: fs.existsSync(side.file('tree')),
          callback: await side.callback((cb) => side.fs.rm(...args, cb)),
        };
      }
    }
    return seen;
  });

  same('rm of a path with `..` behind a name', async (side) => {
    const seen = {};
    for (const path of [
      'top/inner/..',
      'top/inner/../',
      'top/link/../file',
      'top/inner/../inner',
      'top/inner/../../top',
    ]) {
      for (const options of [undefined, { recursive: true }, { recursive: true, force: true }]) {
        const make = () => {
          fs.rmSync(side.file('top'), { recursive: true, force: true });
          fs.mkdirSync(side.file('top/inner/deep'), { recursive: true });
          side.put('top/file', '');
          fs.symlinkSync('inner/deep', side.file('top/link'));
          return `${side.file('.')}/${path}`;
        };
        const left = () =>
          fs.existsSync(side.file('top')) ? fs.readdirSync(side.file('top'), { recursive: true }) : [];
        const promise = await side.attempt(() => side.fsp.rm(make(), options));
        const leftByPromise = left().sort();
        const callback = await side.callback((cb) => side.fs.rm(make(), options ?? {}, cb));
        seen[`${path} ${JSON.stringify(options)}`] = { promise, leftByPromise, callback, left: left().sort() };
      }
    }
    return seen;
  });

  same('a signal that is none, for functions that know none', async (side) => {
    prepare(side);
    const calls = { readdir: '.', readlink: 'link', realpath: 'link', mkdtemp: 'temporary-', opendir: '.' };
    const seen = {};
    for (const [name, path] of Object.entries(calls)) {
      for (const signal of [null, 0, 'signal', {}]) {
        // Without a callback that can be called, node ends the process here.
        if (name !== 'opendir')
          seen[`${name} ${signal}`] = await side.attempt(() => side.fsp[name](side.file(path), { signal }));
        seen[`${name} ${signal}, callback`] = await side.callback((cb) =>
          side.fs[name](side.file(path), { signal }, cb),
        );
      }
    }
    return seen;
  });

  same("values that are node's to judge", async (side) => {
    prepare(side);
    const file = side.file('file');
    const handle = await side.fsp.open(file, 'r+');
    return closing(handle, async () => {
      const seen = {};
      for (const time of [
        Number.NEGATIVE_INFINITY,
        Number.POSITIVE_INFINITY,
        Number.NaN,
        new Date(Number.NaN),
        '-Infinity',
      ]) {
        for (const name of ['utimes', 'lutimes']) {
          seen[`${name} ${time}`] = await side.attempt(() => side.fsp[name](file, time, 1));
          seen[`${name} ${time}, callback`] = await side.callback((cb) => side.fs[name](file, 1, time, cb));
        }
        seen[`FileHandle.utimes ${time}`] = await side.attempt(() => handle.utimes(time, 1));
        seen[`futimes ${time}`] = await side.callback((cb) => side.fs.futimes(handle.fd, 1, time, cb));
      }
      seen.flag = await side.callback((cb) => side.fs.readFile(file, { flag: Number.NaN }, cb));
      for (const mode of ['x', '8', {}, 1.5, -1]) {
        for (const name of ['writeFile', 'appendFile']) {
          seen[`FileHandle.${name} ${mode}`] = await side.attempt(() => handle[name]('text', { mode }));
          seen[`${name} ${mode}`] = await side.callback((cb) => side.fs[name](handle.fd, 'text', { mode }, cb));
        }
      }
      const resizable = new Uint8Array(new ArrayBuffer(file.length, { maxByteLength: 4096 }));
      resizable.set(Buffer.from(file));
      for (const name of ['stat', 'access', 'readFile']) {
        seen[`${name} of a resizable path`] = await side.attempt(() => side.fsp[name](resizable));
      }
      return seen;
    });
  });

  it('mkdtemp with an empty prefix is as in node', async () => {
    const before = process.cwd();
    const folder = temporaryDirectory();
    process.chdir(folder);
    try {
      const outcome = (promise) =>
        promise.then(
          (path) => path.length,
          (error) => error.code,
        );
      expect(await outcome(oursP.mkdtemp(''))).to.equal(await outcome(fs.promises.mkdtemp('')));
    } finally {
      process.chdir(before);
      removeDirectory(folder);
    }
  });
});
