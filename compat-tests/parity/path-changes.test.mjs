// mkdir with all parents, truncate, chmod, chown, lchown, readlink and realpath: results, errors and what is on the
// disk.
import fs from 'node:fs';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { stats } from 'ioengine';
import { same } from '../helpers/compare.mjs';
import { ours, oursP } from '../helpers/oracle.mjs';
import { removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';
import { ODD_VALUES } from './support/values.mjs';

async function both(side, name, ...args) {
  return {
    promise: await side.attempt(() => side.fsp[name](...args)),
    callback: await side.callback((cb) => side.fs[name](...args, cb)),
  };
}

/** Paths of every kind, the same on both sides. */
function paths(side) {
  const file = side.put('file', 'some content');
  fs.mkdirSync(side.file('folder'));
  fs.symlinkSync('file', side.file('link'));
  fs.symlinkSync('folder', side.file('link to a folder'));
  fs.symlinkSync('nowhere', side.file('dangling'));
  fs.symlinkSync('loop', side.file('loop'));
  fs.symlinkSync(Buffer.from('no utf-8 \xff', 'latin1'), side.file('odd link'));
  fs.symlinkSync('x'.repeat(1000), side.file('long link'));
  return {
    file,
    folder: side.file('folder'),
    link: side.file('link'),
    'link to a folder': side.file('link to a folder'),
    'link with a slash': `${side.file('link to a folder')}/`,
    dangling: side.file('dangling'),
    loop: side.file('loop'),
    'odd link': side.file('odd link'),
    'long link': side.file('long link'),
    url: pathToFileURL(file),
    buffer: Buffer.from(file),
    dots: `${side.dir}/folder/.././link`,
    absent: side.file('no'),
    'below a file': `${file}/x`,
    'a long name': `${side.dir}/${'y'.repeat(300)}`,
    nul: 'a\0b',
    empty: '',
  };
}

const mode = (file) => (fs.existsSync(file) ? fs.lstatSync(file).mode.toString(8) : 'absent');

for (const name of ['readlink', 'realpath']) {
  describe(`parity: ${name}`, () => {
    same('paths and encodings', async (side) => {
      const seen = {};
      for (const [label, path] of Object.entries(paths(side))) {
        seen[label] = await both(side, name, path);
        for (const options of ['utf8', 'buffer', 'latin1', 'ascii', 'no-such', {}, { encoding: 'buffer' }, null])
          seen[`${label} ${JSON.stringify(options)}`] = await both(side, name, path, options);
      }
      for (const [label, odd] of ODD_VALUES) {
        seen[`path ${label}`] = await both(side, name, odd);
        seen[`options ${label}`] = await both(side, name, side.file('link'), odd);
        seen[`encoding ${label}`] = await both(side, name, side.file('link'), { encoding: odd });
      }
      return seen;
    });

    same('relative paths, after a change of directory', async (side) => {
      const before = process.cwd();
      paths(side);
      const seen = {};
      try {
        for (const folder of [side.dir, side.file('folder')]) {
          process.chdir(folder);
          for (const path of ['link', './link', '../link', '.', '..']) {
            seen[`${folder} ${path}`] = await side.attempt(() => side.fsp[name](path));
          }
        }
      } finally {
        process.chdir(before);
      }
      return seen;
    });
  });
}

describe('parity: mkdir', () => {
  same('with all parents: what is made, and which was the first', async (side) => {
    const seen = {};
    const given = paths(side);
    const targets = {
      'one level': 'one',
      'three levels': 'a/b/c',
      'partly there': 'folder/b/c',
      'all there': 'folder',
      'through a link': 'link to a folder/q/r',
      'below a dangling link': 'dangling/x',
      'a trailing slash': 'slash/inner/',
      'doubled slashes': 'double//inner',
      'dots inside': 'dots/./inner/../other',
      'the first new one behind doubled slashes': 'there//new/deep',
      'the first new one behind a dot': 'there/./newer/deep',
      'the first new one behind two dots': 'there/../sibling/deep',
      'the only new one with a slash': 'there/latest/',
      'a long name': `${'y'.repeat(300)}/x`,
    };
    const before = process.cwd();
    try {
      process.chdir(side.dir);
      for (const form of ['promise', 'callback']) {
        const call = (path, options) =>
          form === 'promise'
            ? side.attempt(() => side.fsp.mkdir(path, options))
            : side.callback((cb) => side.fs.mkdir(path, options, cb));
        for (const base of [`${form}-there`, 'there', `${form}-relative-there`])
          fs.mkdirSync(side.file(base), { recursive: true });
        for (const [label, target] of Object.entries(targets)) {
          const options = { recursive: true };
          seen[`${form} ${label}`] = await call(`${side.dir}/${form}-${target}`, options);
          seen[`${form} ${label}, there`] = await call(`${side.dir}/${target}`, options);
          seen[`${form} ${label}, relative`] = await call(`${form}-relative-${target}`, options);
          seen[`${form} ${label}, relative there`] = await call(`./${target}`, options);
        }
        for (const [label, path] of Object.entries(given))
          seen[`${form} ${label}`] = await call(path, { recursive: true });
        for (const path of ['/', '.', '..']) seen[`${form} ${path}`] = await call(path, { recursive: true });
      }
    } finally {
      process.chdir(before);
    }
    return seen;
  });

  same('modes and options', async (side) => {
    const seen = {};
    let made = 0;
    const all = [
      ...[0o700, 0o1777, '750', undefined, null, -1, 'x', {}, 2 ** 32].map((mode_) => ({
        recursive: true,
        mode: mode_,
      })),
      ...ODD_VALUES.map(([, odd]) => ({ recursive: odd })),
      // Node 20 aborts on a mode of 2^31.
      ...ODD_VALUES.map(([, odd]) => odd).filter((odd) => odd !== 2 ** 31),
    ];
    for (const [index, options] of all.entries()) {
      for (const form of ['promise', 'callback']) {
        const top = side.file(`made-${made++}`);
        const path = `${top}/inner`;
        if (options?.recursive !== true) fs.mkdirSync(top);
        const label = `${index} ${form}`;
        seen[label] =
          form === 'promise'
            ? await side.attempt(() => side.fsp.mkdir(path, options))
            : await side.callback((cb) => side.fs.mkdir(path, options, cb));
        seen[`${label}, modes`] = [mode(top), mode(path)];
      }
    }
    return seen;
  });

  same('a parent that may not be written', async (side) => {
    const user = process.geteuid();
    const seen = {};
    fs.mkdirSync(side.file('closed'), { mode: 0o555 });
    fs.chmodSync(`${side.dir}/..`, 0o755);
    try {
      if (user === 0) process.seteuid(65_534);
      seen.one = await both(side, 'mkdir', side.file('closed/a'), { recursive: true });
      seen.two = await both(side, 'mkdir', side.file('closed/a/b'), { recursive: true });
    } finally {
      process.seteuid(user);
    }
    return seen;
  });
});

describe('parity: truncate', () => {
  same('lengths, and paths that fail', async (side) => {
    const seen = {};
    const lengths = [undefined, 0, 1, 5, 100, -1, -(2 ** 40), 1.5, 2 ** 53, '3', null, Number.NaN, 3n];
    for (const [index, length] of lengths.entries()) {
      for (const form of ['promise', 'callback']) {
        const file = side.put('target', 'some content');
        const args = length === undefined ? [file] : [file, length];
        seen[`${index} ${form}`] =
          form === 'promise'
            ? await side.attempt(() => side.fsp.truncate(...args))
            : await side.callback((cb) => side.fs.truncate(...args, cb));
        seen[`${index} ${form}, content`] = side.bytes('target');
      }
    }
    for (const [label, path] of Object.entries(paths(side))) seen[label] = await both(side, 'truncate', path, 3);
    seen['a device'] = await both(side, 'truncate', '/dev/null', 3);
    seen.procfs = await both(side, 'truncate', '/proc/self/status', 3);
    seen['too large'] = await both(side, 'truncate', side.file('file'), Number.MAX_SAFE_INTEGER);
    for (const [label, odd] of ODD_VALUES) {
      // A number is a descriptor, which Node 20 truncates.
      if (typeof odd !== 'number') seen[`path ${label}`] = await side.attempt(() => side.fsp.truncate(odd, 1));
      seen[`callback ${label}`] = await side.attempt(() => side.fs.truncate(side.file('file'), 1, odd));
    }
    return seen;
  });
});

describe('parity: chmod, chown, lchown', () => {
  same('modes', async (side) => {
    const seen = {};
    const given = paths(side);
    for (const [label, path] of Object.entries(given))
      seen[label] = await side.attempt(() => side.fsp.chmod(path, 0o640));
    for (const [index, value] of [0o600, '755', 0o4711, -1, 'x', 2 ** 32, 1.5, undefined, null, {}].entries()) {
      seen[`mode ${index}`] = await side.attempt(() => side.fsp.chmod(given.file, value));
      seen[`mode ${index}, after`] = mode(given.file);
    }
    seen.folder = [mode(given.folder), mode(given.link)];
    return seen;
  });

  for (const name of ['chown', 'lchown']) {
    same(`owners: ${name}`, async (side) => {
      const seen = {};
      const given = paths(side);
      const owners = [
        [-1, -1],
        [process.getuid(), process.getgid()],
        [65_534, 65_533],
        [2 ** 32, 0],
        [-2, 0],
        [0, '0'],
        [1.5, 0],
        [],
      ];
      const ids = (file) => [fs.lstatSync(file).uid, fs.lstatSync(file).gid];
      for (const [index, ids_] of owners.entries()) {
        for (const [label, path] of Object.entries(given)) {
          seen[`${label} ${index}`] = await side.attempt(() => side.fsp[name](path, ...ids_));
        }
        seen[`${index}, after`] = [ids(given.file), ids(given.link), ids(given.dangling)];
      }
      return seen;
    });
  }
});

describe('calls on paths: pool jobs', () => {
  let directory;
  before(() => {
    directory = temporaryDirectory();
  });
  after(() => removeDirectory(directory));

  const callback = (name, ...args) =>
    new Promise((resolve, reject) => ours[name](...args, (error) => (error ? reject(error) : resolve())));

  it('each is one of them, and none is node’s', async () => {
    const file = `${directory}/file`;
    fs.symlinkSync('file', `${directory}/link`);
    const calls = [
      () => oursP.writeFile(file, 'content', { flush: true }),
      () => oursP.appendFile(file, Buffer.from(' and more')),
      () => callback('writeFile', file, 'content'),
      () => callback('appendFile', file, ' and more'),
      () => oursP.truncate(file, 3),
      () => callback('truncate', file, 3),
      () => oursP.mkdir(`${directory}/a/b/c`, { recursive: true }),
      () => callback('mkdir', `${directory}/d/e/f`, { recursive: true }),
      () => oursP.chmod(file, 0o600),
      () => oursP.chown(file, -1, -1),
      () => oursP.lchown(file, -1, -1),
      () => oursP.readlink(`${directory}/link`),
      () => oursP.realpath(`${directory}/link`),
    ];
    const before = stats().lanes;
    for (const call of calls) await call();
    const after = stats().lanes;
    expect(after.threads.operations - before.threads.operations).to.equal(calls.length);
    expect(after.delegated.operations - before.delegated.operations).to.equal(0);
    expect(fs.readFileSync(file, 'utf8')).to.equal('con');
  });
});
