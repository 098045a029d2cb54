// cp: files, trees, links, modes, what is there already, options and errors, with a callback and with a promise.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { stats } from 'ioengine';
import { same } from '../helpers/compare.mjs';
import { ours, oursP } from '../helpers/oracle.mjs';
import { inMemory, removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';
import { ODD_VALUES } from './support/values.mjs';

const RECURSIVE = { recursive: true };

/** The same call by promise and by callback, each with `make` done anew, and what is there afterwards. */
async function both(side, make, ...options) {
  const seen = {};
  const run = async (form, call) => {
    for (const name of fs.readdirSync(side.dir)) fs.rmSync(side.file(name), { recursive: true, force: true });
    const paths = make(side);
    seen[form] = await call(...paths);
    seen[`${form}, left`] = below(side.dir);
  };
  await run('promise', (...paths) => side.attempt(() => side.fsp.cp(...paths, ...options)));
  await run('callback', (...paths) => side.callback((cb) => side.fs.cp(...paths, ...options, cb)));
  return seen;
}

/** Names, modes, sizes, content, and where links lead. */
function below(top, inner = '') {
  const found = {};
  for (const entry of fs.readdirSync(`${top}/${inner}`, { withFileTypes: true, encoding: 'buffer' })) {
    const name = `${inner}${entry.name.toString('latin1')}`;
    const path = Buffer.concat([Buffer.from(`${top}/${inner}`), entry.name]);
    const { mode, size } = fs.lstatSync(path);
    found[name] = [mode.toString(8)];
    if (entry.isFile()) found[name].push(size, fs.readFileSync(path, 'latin1').slice(0, 20));
    if (entry.isSymbolicLink()) found[name].push(fs.readlinkSync(path).replace(top, '<top>'));
    if (entry.isDirectory() && !/[^\0-~]/.test(name)) Object.assign(found, below(top, `${name}/`));
  }
  return found;
}

function plant(side, name = 'from') {
  const top = side.file(name);
  for (const folder of ['a/b/c', 'ü', 'empty']) fs.mkdirSync(`${top}/${folder}`, { recursive: true });
  for (const file of ['1', 'a/2', 'a/b/3', 'a/b/c/4', 'ü/\u{1f600}', '..more']) {
    fs.writeFileSync(`${top}/${file}`, `content of ${file}`);
  }
  fs.writeFileSync(`${top}/nothing`, '');
  fs.writeFileSync(`${top}/large`, Buffer.alloc(300_001, 'large'));
  for (const [file, mode] of [
    ['1', 0o600],
    ['a/2', 0o444],
    ['a/b/3', 0o7755],
    ['nothing', 0o000],
    ['a/b', 0o700],
    ['a/b/c', 0o2775],
    ['empty', 0o1777],
    ['a', 0o751],
  ]) {
    fs.chmodSync(`${top}/${file}`, mode);
  }
  return top;
}

function plantLinks(side) {
  const top = plant(side);
  for (const [at, to] of [
    ['to a file', '1'],
    ['to a folder', 'a/b'],
    ['dangling', 'no/where'],
    ['a/up', '../../outside/./x//y'],
    ['a/far up', `${'../'.repeat(30)}etc/`],
    ['absolute', '/tmp/..//tmp'],
    ['loop', 'loop'],
    ['slash', 'a/'],
  ]) {
    fs.symlinkSync(to, `${top}/${at}`);
  }
  return top;
}

/** A copy of the same, partly: what cp meets in the target. */
function plantOther(side) {
  const top = side.file('to');
  fs.mkdirSync(`${top}/a/other`, { recursive: true });
  fs.mkdirSync(`${top}/empty`, { mode: 0o700 });
  fs.writeFileSync(`${top}/a/2`, 'older and longer than what replaces it', { mode: 0o600 });
  fs.writeFileSync(`${top}/a/other/file`, 'stays');
  fs.symlinkSync('a/other/file', `${top}/1`);
  return top;
}

const to = (side) => side.file('to');

/** Answers source and target. */
const CASES = {
  tree: (side) => [plant(side), to(side)],
  'tree with links': (side) => [plantLinks(side), to(side)],
  'tree into one that is there': (side) => [plant(side), plantOther(side)],
  'links into a tree with the same': (side) => {
    fs.mkdirSync(to(side));
    fs.symlinkSync('/etc', `${to(side)}/absolute`);
    return [plantLinks(side), to(side)];
  },
  'folder over a file': (side) => [plant(side), side.put('to', 'a file')],
  'a file in the place of a folder': (side) => {
    fs.mkdirSync(to(side));
    fs.writeFileSync(`${to(side)}/a`, '');
    return [plantLinks(side), to(side)];
  },
  'a folder in the place of a file': (side) => {
    fs.mkdirSync(`${to(side)}/large`, { recursive: true });
    return [plantLinks(side), to(side)];
  },
  file: (side) => [side.put('from', 'content'), to(side)],
  'file over a file': (side) => [side.put('from', 'new'), side.put('to', 'old, and longer')],
  'file over a link': (side) => {
    side.put('other', 'stays');
    fs.symlinkSync('other', to(side));
    return [side.put('from', 'new'), to(side)];
  },
  'file over the link that leads to it': (side) => {
    fs.mkdirSync(side.file('folder'));
    side.put('folder/file', 'gone when the link is');
    fs.symlinkSync('folder', to(side));
    return [`${to(side)}/file`, to(side)];
  },
  'file over its link': (side) => {
    fs.symlinkSync('from', to(side));
    return [side.put('from', 'new'), to(side)];
  },
  'file over itself by a hard link': (side) => {
    fs.linkSync(side.put('from', 'one'), to(side));
    return [side.file('from'), to(side)];
  },
  'file over a folder': (side) => {
    fs.mkdirSync(to(side));
    return [side.put('from', ''), to(side)];
  },
  'into folders that are missing': (side) => [plant(side), side.file('no/such/to')],
  'file into a missing folder': (side) => [side.put('from', 'x'), side.file('no/to')],
  link: (side) => [linkTo(side, 'other'), to(side)],
  'link, slash': (side) => {
    fs.mkdirSync(side.file('other'));
    return [`${linkTo(side, 'other')}/`, to(side)];
  },
  absent: (side) => [side.file('no'), to(side)],
  itself: (side) => [plant(side), side.file('from')],
  'into itself': (side) => [plant(side), side.file('from/a/b/to')],
  'into itself through a link': (side) => {
    plant(side);
    fs.symlinkSync('from', side.file('into'));
    return [side.file('from'), side.file('into/to')];
  },
  'folder, slashes': (side) => [`${plant(side)}//`, `${to(side)}/`],
  'file, slash': (side) => [`${side.put('from', 'x')}/`, to(side)],
  'file to a slash': (side) => [side.put('from', 'x'), `${to(side)}/`],
  'back behind a link': (side) => {
    plant(side, 'deep/er/from');
    fs.symlinkSync('deep/er/from', side.file('link'));
    return [`${side.file('link')}/../from`, to(side)];
  },
  urls: (side) => [pathToFileURL(plant(side)), pathToFileURL(to(side))],
  buffer: (side) => [Buffer.from(plant(side)), to(side)],
  empty: (side) => [plant(side), ''],
  nul: (side) => [plant(side), 'a\0b'],
  fifo: (side) => {
    const top = plantLinks(side);
    execFileSync('mkfifo', [`${top}/a/b/c/fifo`]);
    return [top, to(side)];
  },
  'a name that is no UTF-8': (side) => {
    const top = plantLinks(side);
    fs.writeFileSync(Buffer.from(`${top}/a/b/c/\xff`, 'latin1'), 'x');
    return [top, to(side)];
  },
  'a link to what is no UTF-8': (side) => {
    const top = plantLinks(side);
    fs.symlinkSync(Buffer.from('\xc3', 'latin1'), `${top}/a/b/c/link`);
    return [top, to(side)];
  },
  'a procfs file': (side) => ['/proc/uptime', to(side)],
};

function linkTo(side, target) {
  fs.symlinkSync(target, side.file('from'));
  return side.file('from');
}

describe('parity: cp', () => {
  same(
    'every source and target, also with links as they are',
    async (side) => {
      const seen = {};
      for (const [label, make] of Object.entries(CASES)) {
        seen[label] = await both(side, make, RECURSIVE);
        seen[`${label}, not recursive`] = await both(side, make);
        if (!label.includes('link')) continue;
        seen[`${label}, verbatim`] = await both(side, make, { recursive: true, verbatimSymlinks: true });
      }
      return seen;
    },
    { base: inMemory },
  );

  same(
    'options, of the engine and of node',
    async (side) => {
      const seen = {};
      const since = new Date(1_600_000_000_123);
      const make = (top) => {
        const paths = [plantLinks(top), plantOther(top)];
        fs.rmSync(`${paths[0]}/dangling`);
        fs.utimesSync(`${paths[0]}/large`, since, since);
        return paths;
      };
      for (const options of [
        { force: true, errorOnExist: true },
        { force: false },
        { force: false, errorOnExist: true },
        { dereference: true },
        { dereference: true, verbatimSymlinks: true },
        { preserveTimestamps: true },
        { preserveTimestamps: false, dereference: false, filter: undefined, mode: undefined },
        { mode: 0 },
        { mode: fs.constants.COPYFILE_EXCL },
        { mode: fs.constants.COPYFILE_FICLONE },
        { filter: (from) => !from.endsWith('a') },
        { filter: async () => false },
        { unknown: true },
      ]) {
        const label = JSON.stringify(options, (_, value) => (typeof value === 'function' ? 'function' : value));
        seen[label] = await both(side, make, { recursive: true, ...options });
        seen[`${label}, time`] =
          fs.existsSync(side.file('to/large')) && fs.statSync(side.file('to/large')).mtimeMs < 2e12;
      }
      seen.inherited = await both(side, make, Object.create(RECURSIVE));
      return seen;
    },
    { base: inMemory },
  );

  same('arguments that are none', async (side) => {
    const seen = {};
    const make = (top) => [top.put('from', 'content'), to(top)];
    const before = process.cwd();
    process.chdir(side.dir); // some of the values are names of files
    for (const [label, odd] of ODD_VALUES) {
      seen[`from ${label}`] = await both(side, (top) => [odd, to(top)]);
      seen[`to ${label}`] = await both(side, (top) => [top.put('from', ''), odd]);
      seen[`options ${label}`] = await both(side, make, odd);
      for (const name of ['recursive', 'force', 'verbatimSymlinks', 'mode', 'filter', 'errorOnExist', 'dereference']) {
        seen[`${name} ${label}`] = await both(side, make, { [name]: odd });
      }
      const [from, into] = make(side);
      seen[`callback ${label}`] = await side.attempt(() => side.fs.cp(from, into, {}, odd));
    }
    process.chdir(before);
    return seen;
  });

  same('folders that are closed, to be read from and to be written to', async (side) => {
    const seen = {};
    const user = process.geteuid();
    for (const folder of ['', '..']) fs.chmodSync(side.file(folder), 0o777);
    for (const [path, mode] of [
      ['from/a/b', 0o000],
      ['from/a/b', 0o500],
      ['from/a', 0o555],
      ['from/large', 0o000],
      ['to/a', 0o555],
      ['to', 0o555],
    ]) {
      for (const form of ['promise', 'callback']) {
        for (const name of ['from', 'to']) fs.rmSync(side.file(name), { recursive: true, force: true });
        for (const name of ['nothing', 'a/b/3', 'a/b', 'a/b/c']) fs.chmodSync(`${plant(side)}/${name}`, 0o755);
        if (path.startsWith('to')) fs.mkdirSync(`${to(side)}/a`, { recursive: true });
        fs.chmodSync(side.file(path), mode);
        const paths = [side.file('from'), to(side)];
        try {
          if (user === 0) process.seteuid(65_534);
          seen[`${path} ${mode.toString(8)} ${form}`] =
            form === 'promise'
              ? await side.attempt(() => side.fsp.cp(...paths, RECURSIVE))
              : await side.callback((cb) => side.fs.cp(...paths, RECURSIVE, cb));
        } finally {
          process.seteuid(user);
        }
        seen[`${path} ${mode.toString(8)} ${form}, left`] = below(side.dir);
        for (const name of [path, path.replace('from', 'to')]) {
          if (fs.existsSync(side.file(name))) fs.chmodSync(side.file(name), 0o755);
        }
      }
    }
    return seen;
  });
});

describe('cp: pool jobs', () => {
  let directory;
  beforeEach(() => {
    directory = temporaryDirectory();
  });
  afterEach(() => removeDirectory(directory));

  async function counted(work) {
    const before = stats().lanes;
    await work();
    const after = stats().lanes;
    return {
      threads: after.threads.operations - before.threads.operations,
      delegated: after.delegated.operations - before.delegated.operations,
    };
  }

  const files = { file: (name) => `${directory}/${name}` };
  const callback = (...args) =>
    new Promise((resolve, reject) => ours.cp(...args, (error) => (error ? reject(error) : resolve())));

  it('a small tree is copied by one of them', async () => {
    const from = plantLinks(files);
    for (const cp of [oursP.cp, callback]) {
      const counts = await counted(() => cp(from, `${directory}/${cp.name}`, RECURSIVE));
      expect(counts).to.deep.equal({ threads: 1, delegated: 0 });
    }
    await fs.promises.cp(from, `${directory}/node`, RECURSIVE);
    expect(below(`${directory}/cp`)).to.deep.equal(below(`${directory}/node`));
    expect(below(`${directory}/callback`)).to.deep.equal(below(`${directory}/node`));
  });

  /** What takes many time slices is one of them all the same, and what it makes is what node makes. */
  async function expectOneJob(from, top) {
    const counts = await counted(() => oursP.cp(from, `${top}/to`, RECURSIVE));
    expect(counts).to.deep.equal({ threads: 1, delegated: 0 });
    await fs.promises.cp(from, `${top}/node`, RECURSIVE);
    expect(below(top, 'to/')).to.deep.equal(renamed(below(top, 'node/'), 'node', 'to'));
  }

  const renamed = (found, from, into) =>
    Object.fromEntries(Object.entries(found).map(([name, value]) => [name.replace(from, into), value]));

  it('many files, links and folders, which take many time slices', async () => {
    const top = temporaryDirectory(inMemory);
    const from = `${top}/from`;
    for (let i = 0; i < 800; i++) {
      fs.mkdirSync(`${from}/${i}`, { recursive: true, mode: i % 2 ? 0o700 : 0o755 });
      fs.writeFileSync(`${from}/${i}/file`, `${i}`);
      fs.symlinkSync('file', `${from}/${i}/link`);
    }
    for (let i = 0; i < 1500; i++) fs.writeFileSync(`${from}/0/${i}`, '');
    await expectOneJob(from, top);
    removeDirectory(top);
  });

  it('a large file, which takes many time slices', async () => {
    const from = `${directory}/from`;
    const part = Buffer.alloc(32 * 2 ** 20, 'some');
    fs.mkdirSync(from);
    for (let i = 0; i < 4; i++) fs.appendFileSync(`${from}/large`, part);
    fs.chmodSync(`${from}/large`, 0o400);
    await expectOneJob(from, directory);
    execFileSync('cmp', [`${directory}/to/large`, `${from}/large`]);
  });

  it('what is in the way behind many time slices: node’s error, and what node leaves', async () => {
    const top = temporaryDirectory(inMemory);
    const from = `${top}/from`;
    for (let i = 0; i < 400; i++) {
      fs.mkdirSync(`${from}/${i}/${'in/'.repeat(i % 4)}`, { recursive: true });
      fs.writeFileSync(`${from}/${i}/file`, `${i}`);
      fs.symlinkSync('file', `${from}/${i}/link`);
    }
    // The last that is met, whatever the order of the folders is.
    const last = fs.readdirSync(from).length - 1;
    const dir = fs.opendirSync(from);
    let name;
    for (let i = 0; i <= last; i++) ({ name } = dir.readSync());
    dir.closeSync();
    execFileSync('mkfifo', [`${from}/${name}/fifo`]);
    const errors = [];
    for (const [cp, target] of [
      [oursP.cp, 'ours'],
      [fs.promises.cp, 'node'],
    ]) {
      await cp(from, `${top}/${target}`, RECURSIVE).catch(({ code, message }) =>
        errors.push([code, message.replaceAll(target, 'target')]),
      );
    }
    expect(errors).to.have.length(2);
    expect(errors[0]).to.deep.equal(errors[1]);
    expect(below(`${top}/ours`)).to.deep.equal(below(`${top}/node`));
    removeDirectory(top);
  });
});
