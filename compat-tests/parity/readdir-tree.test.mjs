// readdir of all below a directory: order, links, loops, what is unreadable, gone or not UTF-8, and trees that take
// more than one pool job.
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { stats } from 'ioengine';
import { same } from '../helpers/compare.mjs';
import { oursP } from '../helpers/oracle.mjs';
import { inMemory, removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';

const NAMES = { recursive: true };
const TYPES = { recursive: true, withFileTypes: true };

async function both(side, given, more = {}) {
  return {
    names: await side.attempt(() => side.fsp.readdir(given, { ...NAMES, ...more })),
    types: await side.attempt(() => side.fsp.readdir(given, { ...TYPES, ...more })),
    'in Dirents': await side.attempt(async () => {
      const found = await side.fsp.readdir(given, { ...TYPES, ...more });
      return found.map((dirent) => [
        dirent.name,
        dirent.parentPath,
        dirent.path,
        dirent.isDirectory(),
        dirent instanceof fs.Dirent,
      ]);
    }),
  };
}

/** Folders with files in them, some without, names around the slash in the order of bytes. */
function plant(side, name = 'tree') {
  const top = side.file(name);
  for (const folder of ['a/x/deep/deeper', 'a/y', 'a-b', 'a.c', 'B', 'b/x', 'b/empty', 'ü/\u{1f600}', '..more/z']) {
    fs.mkdirSync(`${top}/${folder}`, { recursive: true });
  }
  for (const folder of ['.', 'a', 'a/x', 'a/x/deep/deeper', 'a-b', 'B', 'ü', 'ü/\u{1f600}', '..more/z']) {
    for (const file of ['file', '10', '9', 'zß', '.hidden']) fs.writeFileSync(`${top}/${folder}/${file}`, '');
  }
  return top;
}

describe('parity: recursive readdir', () => {
  same('order, names and parents of a tree', async (side) => {
    fs.mkdirSync(side.file('empty'));
    const flat = side.file('flat');
    fs.mkdirSync(flat);
    for (const name of ['2', '1']) fs.writeFileSync(`${flat}/${name}`, '');
    return {
      tree: await both(side, plant(side)),
      empty: await both(side, side.file('empty')),
      flat: await both(side, flat),
      '/proc/self/ns': (await side.fsp.readdir('/proc/self/ns', NAMES)).sort(),
    };
  });

  same('forms of paths, also of such as lead back through a link', async (side) => {
    const top = plant(side);
    plant(side, 'other/inner');
    fs.symlinkSync('other/inner/a', side.file('link'));
    const given = {
      url: pathToFileURL(top),
      buffer: Buffer.from(top),
      'buffer of an empty one': Buffer.from(`${top}/b/empty`),
      slash: `${top}/`,
      slashes: `${side.dir}//tree///`,
      dots: `${top}/./a/.`,
      back: `${top}/a/../b`,
      'a link': side.file('link'),
      'a link, slash': `${side.file('link')}/`,
      'back behind a link': `${side.file('link')}/..`,
      'back behind a link, and down': `${side.file('link')}/../a`,
      file: `${top}/file`,
      absent: side.file('no'),
      empty: '',
      nul: 'a\0b',
    };
    const seen = {};
    for (const [label, value] of Object.entries(given)) seen[label] = await both(side, value);
    return seen;
  });

  same('the working directory itself', async (side) => {
    const before = process.cwd();
    process.chdir(plant(side));
    try {
      const seen = {};
      for (const given of ['.', './', './/', 'a', './a', '..', '../tree', './../tree', 'a/..', '../tree/a/./']) {
        seen[given] = await both(side, given);
      }
      return seen;
    } finally {
      process.chdir(before);
    }
  });

  same('links to folders, to files, to nothing, and loops', async (side) => {
    const top = plant(side);
    fs.symlinkSync('../a', `${top}/b/to a folder`);
    fs.symlinkSync('../file', `${top}/b/to a file`);
    fs.symlinkSync('nowhere', `${top}/b/dangling`);
    fs.symlinkSync('itself', `${top}/b/itself`);
    fs.symlinkSync(`${top}/a/y`, `${top}/B/absolute`);
    const looped = side.file('looped');
    fs.mkdirSync(`${looped}/in`, { recursive: true });
    fs.writeFileSync(`${looped}/file`, '');
    fs.symlinkSync('..', `${looped}/in/up`);
    const named = `${looped}/in/up/in`;
    return { links: await both(side, top), loop: await both(side, looped), 'from within': await both(side, named) };
  });

  same('folders that may not be read, or not be searched', async (side) => {
    const user = process.geteuid();
    const top = plant(side);
    for (const folder of ['', '..']) fs.chmodSync(side.file(folder), 0o755);
    const seen = {};
    for (const mode of [0o000, 0o100, 0o400, 0o500]) {
      fs.chmodSync(`${top}/a/x`, mode);
      try {
        if (user === 0) process.seteuid(65_534);
        seen[`below ${mode.toString(8)}`] = await both(side, top);
        seen[`of ${mode.toString(8)}`] = await both(side, `${top}/a/x`);
      } finally {
        process.seteuid(user);
        fs.chmodSync(`${top}/a/x`, 0o755);
      }
    }
    return seen;
  });

  same('names that are no UTF-8, and such as look as if', async (side) => {
    const seen = {};
    const bytes = (text) => Buffer.from(`${side.dir}/${text}`, 'latin1');
    for (const [label, make] of Object.entries({
      file: (top) => fs.writeFileSync(bytes(`${top}/mid\xffdle`), ''),
      folder: (top) => {
        fs.mkdirSync(bytes(`${top}/fol\xffder`));
        fs.writeFileSync(bytes(`${top}/fol\xffder/file`), '');
      },
      link: (top) => fs.symlinkSync('a', bytes(`${top}/\x80`)),
      replacement: (top) => fs.mkdirSync(side.file(`${top}/\u{fffd}/x`), { recursive: true }),
      'file and folder': (top) => {
        fs.writeFileSync(bytes(`${top}/\xff`), '');
        fs.mkdirSync(side.file(`${top}/\u{fffd}/x`), { recursive: true });
      },
    })) {
      plant(side, label);
      make(label);
      seen[label] = await both(side, side.file(label));
    }
    return seen;
  });

  same('encodings and options', async (side) => {
    const top = plant(side);
    const seen = {};
    // Not ucs2: node's promise never settles.
    for (const encoding of ['utf8', 'utf-8', 'UTF8', 'buffer', 'hex', 'latin1', null, undefined, 'no-such', 1]) {
      seen[`encoding ${encoding}`] = await both(side, top, { encoding });
      seen[`encoding ${encoding}, empty`] = await both(side, `${top}/b/empty`, { encoding });
    }
    for (const withFileTypes of [1, 0, '', 'x', null]) {
      seen[`withFileTypes ${withFileTypes}`] = await both(side, top, { withFileTypes });
    }
    return seen;
  });
});

describe('recursive readdir: pool jobs', () => {
  const FOLDERS = 16_000;
  let directory;
  before(() => {
    directory = temporaryDirectory(inMemory);
    for (let i = 0; i < FOLDERS; i++) {
      fs.mkdirSync(`${directory}/large/${i}`, { recursive: true });
      if (i % 4 === 0) fs.mkdirSync(`${directory}/large/${i}/inner`);
    }
    for (const name of ['a/b/c', 'a/d', 'e']) fs.mkdirSync(`${directory}/small/${name}`, { recursive: true });
  });
  after(() => removeDirectory(directory));

  async function counted(work) {
    await oursP.readdir(`${directory}/small`, TYPES); // the first Dirents compare themselves with node's
    const before = stats().lanes;
    const result = await work();
    const after = stats().lanes;
    return {
      result,
      threads: after.threads.operations - before.threads.operations,
      delegated: after.delegated.operations - before.delegated.operations,
    };
  }

  it('a small tree is read by one of them', async () => {
    for (const options of [NAMES, TYPES]) {
      const { threads, delegated } = await counted(() => oursP.readdir(`${directory}/small`, options));
      expect({ threads, delegated }).to.deep.equal({ threads: 1, delegated: 0 });
    }
  });

  it('a wide tree takes several, and is read in node’s order all the same', async () => {
    for (const options of [NAMES, TYPES]) {
      const wanted = await fs.promises.readdir(`${directory}/large`, options);
      expect(wanted.length).to.equal(FOLDERS * 1.25);
      const { result, threads, delegated } = await counted(() => oursP.readdir(`${directory}/large`, options));
      expect(result).to.deep.equal(wanted);
      expect(threads).to.be.greaterThan(1);
      expect(delegated).to.equal(0);
    }
  });

  it('folders that come and go meanwhile: a whole answer or node’s error', async () => {
    const top = `${directory}/moving`;
    const seen = { answers: 0, errors: 0 };
    for (let round = 0; round < 60; round++) {
      for (const name of ['a', 'b', 'c', 'd']) fs.mkdirSync(`${top}/${name}/in`, { recursive: true });
      const calls = [NAMES, TYPES].map((options) => oursP.readdir(top, options));
      fs.rmSync(`${top}/${'abcd'[round % 4]}`, { recursive: true, force: true });
      for (const { status, value, reason } of await Promise.allSettled(calls)) {
        if (status === 'fulfilled') {
          seen.answers++;
          const names = value.map((entry) => (typeof entry === 'string' ? path.basename(entry) : entry.name));
          expect(names.every((name) => ['a', 'b', 'c', 'd', 'in'].includes(name))).to.equal(true);
          expect(names.filter((name) => name === 'in').length).to.be.within(3, 4);
        } else {
          seen.errors++;
          expect(reason).to.include({ code: 'ENOENT', syscall: 'scandir' });
        }
      }
    }
    expect(seen.answers + seen.errors).to.equal(120);
    expect(seen.answers).to.be.greaterThan(0);
  });
});
