// stat, lstat, fstat and FileHandle.stat: the attributes, the objects that show them, and the errors.
import fs from 'node:fs';
import { pathToFileURL } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { expect } from 'chai';
import { same } from '../helpers/compare.mjs';
import { ours, oursP } from '../helpers/oracle.mjs';
import { removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';
import { ODD_VALUES } from './support/values.mjs';

// Two calls on one file must agree in all of this; two files of a twin differ in what is left out there.
const TIMES = ['atime', 'mtime', 'ctime', 'birthtime'];

/** Every property, own or not, as an application can see it. */
function everything(stats) {
  if (stats === undefined) return 'undefined';
  const methods = [
    'isFile',
    'isDirectory',
    'isFIFO',
    'isSymbolicLink',
    'isCharacterDevice',
    'isBlockDevice',
    'isSocket',
  ];
  const shown = (value) => (value instanceof Date ? `Date ${value.getTime()}` : `${typeof value} ${String(value)}`);
  const own = () => Reflect.ownKeys(stats).map((key) => [String(key), shown(stats[key])]);
  const descriptors = () =>
    Object.entries(Object.getOwnPropertyDescriptors(stats)).map(([key, { writable, enumerable, configurable }]) => [
      key,
      writable,
      enumerable,
      configurable,
    ]);
  return {
    class: stats.constructor.name,
    own: own(),
    descriptors: descriptors(),
    dates: TIMES.map((name) => [stats[name] instanceof Date, shown(stats[name])]),
    // Where a getter makes the Date, looking leaves a property behind.
    ownAfterwards: own(),
    kinds: methods.filter((name) => stats[name]()),
    json: JSON.stringify(stats, (_, value) => (typeof value === 'bigint' ? String(value) : value)),
    isStats: stats instanceof fs.Stats,
  };
}

const callback = (api, name, ...args) =>
  new Promise((resolve, reject) => api[name](...args, (error, stats) => (error ? reject(error) : resolve(stats))));

/** What node:fs and ours say. Others work in folders like `..` too: asked again where node:fs says two things. */
async function bothWhileUnchanged(ask) {
  for (let attempt = 0; ; attempt++) {
    const wanted = everything(await ask(fs));
    const seen = everything(await ask(ours));
    if (attempt === 20 || isDeepStrictEqual(everything(await ask(fs)), wanted)) return [wanted, seen];
  }
}

describe('parity: attributes are those of node:fs, object by object', () => {
  let directory;
  const files = {};
  before(() => {
    directory = temporaryDirectory();
    const at = (name) => `${directory}/${name}`;
    fs.writeFileSync(at('file'), 'content');
    fs.writeFileSync(at('empty'), '');
    fs.mkdirSync(at('folder'));
    fs.symlinkSync('file', at('link'));
    fs.symlinkSync('folder', at('link to a folder'));
    fs.linkSync(at('file'), at('second name'));
    fs.writeFileSync(at('old'), '');
    fs.utimesSync(at('old'), -123456.789, -0.001);
    fs.writeFileSync(at('later'), '');
    fs.utimesSync(at('later'), 4_000_000_000.125, 4_102_444_800);
    const sparse = fs.openSync(at('sparse'), 'w');
    fs.ftruncateSync(sparse, 5 * 2 ** 32);
    fs.closeSync(sparse);
    fs.chmodSync(at('sparse'), 0o4751);
    for (const name of fs.readdirSync(directory)) files[name] = at(name);
    // Other filesystems, other kinds of files.
    const elsewhere = [
      '/dev/null',
      '/proc/version',
      '/proc/self/exe',
      '/sys',
      '/dev/shm',
      '/',
      '.',
      '..',
      'package.json',
    ];
    for (const name of elsewhere) files[name] = name;
  });
  after(() => removeDirectory(directory));

  const calls = {
    'promises.stat': (api, file, options) => api.promises.stat(file, options),
    'promises.lstat': (api, file, options) => api.promises.lstat(file, options),
    'fs.stat': (api, file, options) => callback(api, 'stat', file, ...(options ? [options] : [])),
    'fs.lstat': (api, file, options) => callback(api, 'lstat', file, ...(options ? [options] : [])),
    'FileHandle.stat': async (api, file, options) => {
      const handle = await api.promises.open(file, 'r');
      try {
        return await handle.stat(options);
      } finally {
        await handle.close();
      }
    },
    'fs.fstat': async (api, file, options) => {
      const fd = fs.openSync(file, 'r');
      try {
        return await callback(api, 'fstat', fd, ...(options ? [options] : []));
      } finally {
        fs.closeSync(fd);
      }
    },
  };
  for (const [name, call] of Object.entries(calls)) {
    for (const options of [undefined, { bigint: false }, { bigint: true }]) {
      it(`${name}${options ? ` ${JSON.stringify(options)}` : ''}`, async () => {
        for (const [label, file] of Object.entries(files)) {
          // Twice: the first call on a device is served in another way than those after it.
          for (let round = 0; round < 3; round++) {
            const [wanted, seen] = await bothWhileUnchanged((api) => call(api, file, options));
            expect(seen, label).to.deep.equal(wanted);
          }
        }
      });
    }
  }

  it('the same numbers when many are asked for at once, each for its own file', async () => {
    const many = Array.from({ length: 600 }, (_, i) => `${directory}/many-${i}`);
    many.forEach((file, i) => void fs.writeFileSync(file, 'x'.repeat(i)));
    const callbacks = many.map((file) => callback(ours, 'stat', file));
    const whole = many.map((file) => oursP.lstat(file, { bigint: true }));
    const promises = many.map((file) => oursP.stat(file));
    expect((await Promise.all(promises)).map(({ size }) => size)).to.deep.equal(many.map((_, i) => i));
    expect((await Promise.all(callbacks)).map(({ size }) => size)).to.deep.equal(many.map((_, i) => i));
    expect((await Promise.all(whole)).map(({ size }) => size)).to.deep.equal(many.map((_, i) => BigInt(i)));
  });

  it('what was just written, made longer, removed and made again is seen at once', async () => {
    const file = `${directory}/changing`;
    await oursP.writeFile(file, 'abc');
    expect((await oursP.stat(file)).size).to.equal(3);
    fs.appendFileSync(file, 'def');
    expect((await oursP.stat(file)).size).to.equal(6);
    const handle = await oursP.open(file, 'r+');
    await handle.write(Buffer.from('ghi'), 0, 3, 6);
    expect((await handle.stat()).size).to.equal(9);
    await handle.truncate(1);
    expect((await handle.stat()).size).to.equal(1);
    expect((await oursP.stat(file)).size).to.equal(1);
    await handle.close();
    fs.unlinkSync(file);
    const error = await oursP.stat(file).catch((reason) => reason);
    expect(error.code).to.equal('ENOENT');
    fs.mkdirSync(file);
    expect((await oursP.stat(file)).isDirectory()).to.equal(true);
  });
});

async function all(side, ...args) {
  return {
    'promises.stat': await side.attempt(() => side.fsp.stat(...args)),
    'promises.lstat': await side.attempt(() => side.fsp.lstat(...args)),
    'fs.stat': await side.callback((cb) => side.fs.stat(...args, cb)),
    'fs.lstat': await side.callback((cb) => side.fs.lstat(...args, cb)),
  };
}

describe('parity: stat and lstat, paths, options and errors', () => {
  same('paths that fail, and forms of paths', async (side) => {
    const file = side.put('file', 'content');
    fs.symlinkSync('loop', side.file('loop'));
    fs.symlinkSync('nowhere', side.file('dangling'));
    fs.mkdirSync(side.file('folder'));
    const paths = {
      file,
      url: pathToFileURL(file),
      buffer: Buffer.from(file),
      bytes: new Uint8Array(Buffer.from(file)),
      'not utf-8': Buffer.from(`${side.dir}/\xff`, 'latin1'),
      'a lone surrogate': `${side.dir}/\ud800`,
      umlaut: side.put('grüße', ''),
      absent: side.file('no'),
      'absent inside': side.file('no/more'),
      'below a file': `${file}/x`,
      'a file with a slash': `${file}/`,
      'a folder with a slash': `${side.dir}/folder/`,
      'a link with a slash': `${side.dir}/dangling/`,
      dots: `${side.dir}/folder/.././folder/../file`,
      'doubled slashes': `${side.dir}//file`,
      loop: side.file('loop'),
      dangling: side.file('dangling'),
      'a long name': `${side.dir}/${'y'.repeat(300)}`,
      'a long path': `${side.dir}${'/y'.repeat(2500)}`,
      'nearly too long': `/${'./'.repeat(2046)}x`,
      'too long by a little': `/${'./'.repeat(2048)}x`,
      nul: 'a\0b',
      'nul at the end': `${file}\0`,
      'nul in bytes': Buffer.from('a\0b'),
      'url with nul': `file://${file}%00`,
      'url of another scheme': new URL('http://localhost/'),
      empty: '',
    };
    const seen = {};
    for (const [label, value] of Object.entries(paths)) seen[label] = await all(side, value);
    for (const [label, value] of ODD_VALUES) seen[`odd ${label}`] = await all(side, value);
    return seen;
  });

  same('relative paths, after a change of directory', async (side) => {
    const before = process.cwd();
    const seen = {};
    fs.mkdirSync(side.file('inner'));
    side.put('name', 'outer');
    side.put('inner/name', 'inner one');
    try {
      for (const folder of [side.dir, side.file('inner')]) {
        process.chdir(folder);
        for (const name of ['name', './name', '../inner/name', 'absent'])
          seen[`${folder} ${name}`] = await all(side, name);
      }
    } finally {
      process.chdir(before);
    }
    return seen;
  });

  same('a directory that may not be searched', async (side) => {
    const file = side.put('file', '');
    fs.mkdirSync(side.file('closed'));
    fs.writeFileSync(side.file('closed/file'), '');
    fs.chmodSync(side.file('closed'), 0);
    const user = process.geteuid();
    const seen = {};
    try {
      fs.chmodSync(`${side.dir}/..`, 0o755);
      if (user === 0) process.seteuid(65_534);
      seen.closed = await all(side, side.file('closed/file'));
      seen.open = await all(side, file);
    } finally {
      process.seteuid(user);
      fs.chmodSync(side.file('closed'), 0o755);
    }
    return seen;
  });

  same('options that are none', async (side) => {
    const file = side.put('file', 'content');
    const seen = {};
    for (const [label, odd] of ODD_VALUES) {
      seen[`options ${label}`] = await all(side, file, odd);
      seen[`bigint ${label}`] = await all(side, file, { bigint: odd });
      seen[`bigint ${label} and absent`] = await all(side, side.file('absent'), { bigint: odd });
      seen[`callback ${label}`] = await side.attempt(() => side.fs.stat(file, {}, odd));
      seen[`throwIfNoEntry ${label}`] = await all(side, side.file('absent'), { throwIfNoEntry: odd });
    }
    seen.inherited = await all(side, file, Object.create({ bigint: true }));
    seen['no arguments'] = [
      await side.attempt(() => side.fsp.stat()),
      await side.attempt(() => side.fsp.lstat()),
      await side.attempt(() => side.fs.stat()),
      await side.attempt(() => side.fs.fstat()),
      await side.attempt(() => side.fs.stat(file)),
    ];
    return seen;
  });

  same('fstat and FileHandle.stat: closed ones, odd ones', async (side) => {
    const file = side.put('file', 'content');
    const seen = {};
    const handle = await side.fsp.open(file);
    seen.open = await side.attempt(() => handle.stat());
    for (const [label, odd] of ODD_VALUES) seen[`handle ${label}`] = await side.attempt(() => handle.stat(odd));
    await handle.close();
    seen.closed = await side.attempt(() => handle.stat());
    const fd = fs.openSync(file, 'r');
    seen.fd = await side.callback((cb) => side.fs.fstat(fd, cb));
    seen['fd again'] = await side.callback((cb) => side.fs.fstat(fd, { bigint: true }, cb));
    fs.closeSync(fd);
    seen['closed fd'] = await side.callback((cb) => side.fs.fstat(fd, cb));
    for (const [label, odd] of ODD_VALUES) {
      // Node 20 dies of a symbol here.
      if (typeof odd !== 'symbol') seen[`fd ${label}`] = await side.callback((cb) => side.fs.fstat(odd, cb));
    }
    return seen;
  });

  same('a handle that is being closed', async (side) => {
    const handle = await side.fsp.open(side.put('file', 'content'));
    const closed = handle.close();
    const late = await side.attempt(() => handle.stat());
    const again = await side.fsp.open(side.file('file'));
    const asked = again.stat();
    const closedBehind = again.close();
    return {
      late,
      closed: await side.attempt(() => closed),
      asked: await side.attempt(() => asked),
      closedBehind: await side.attempt(() => closedBehind),
    };
  });
});
