// rm: files, trees, options and errors, with a callback and with a promise.
import fs from 'node:fs';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { stats } from 'ioengine';
import { same } from '../helpers/compare.mjs';
import { ours, oursP } from '../helpers/oracle.mjs';
import { removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';
import { ODD_VALUES } from './support/values.mjs';

/** What is there to be removed, made anew for every call: `make` answers the path. */
const TARGETS = {
  file: (side) => side.put('target', 'content'),
  'empty folder': (side) => folder(side),
  tree: (side) => tree(side),
  'tree with a slash': (side) => `${tree(side)}/`,
  'deep tree': (side) => deepTree(side),
  'link to a folder': (side) => link(side, 'kept'),
  'link to a folder, with a slash': (side) => `${link(side, 'kept')}/`,
  'dangling link': (side) => link(side, 'nowhere'),
  absent: (side) => side.file('absent'),
  'below a file': (side) => `${side.put('target', '')}/x`,
  url: (side) => pathToFileURL(tree(side)),
  buffer: (side) => Buffer.from(tree(side)),
  'a long name': (side) => side.file('y'.repeat(300)),
  nul: () => 'a\0b',
  empty: () => '',
};

function folder(side) {
  fs.mkdirSync(side.file('target'));
  return side.file('target');
}

function tree(side) {
  const top = folder(side);
  for (const inner of ['a', 'a/b', 'c']) fs.mkdirSync(`${top}/${inner}`);
  for (const name of ['1', 'a/2', 'a/b/3', 'a/b/4', 'c/5']) fs.writeFileSync(`${top}/${name}`, 'x');
  fs.writeFileSync(Buffer.from(`${top}/c/\xff`, 'latin1'), '');
  // What links lead to stays.
  fs.symlinkSync('../../kept', `${top}/a/link`);
  fs.chmodSync(`${top}/1`, 0o400);
  return top;
}

// Deeper than the engine goes.
function deepTree(side) {
  const top = folder(side);
  fs.mkdirSync(`${top}${'/d'.repeat(100)}`, { recursive: true });
  fs.writeFileSync(`${top}${'/d'.repeat(90)}/file`, '');
  return top;
}

function link(side, to) {
  fs.symlinkSync(to, side.file('target'));
  return side.file('target');
}

/** The same call by promise and by callback, each on a fresh target, and what is left. */
async function both(side, make, ...options) {
  const seen = {};
  const run = async (form, call) => {
    fs.rmSync(side.file('target'), { recursive: true, force: true });
    fs.mkdirSync(side.file('kept'), { recursive: true });
    fs.writeFileSync(side.file('kept/content'), 'stays');
    seen[form] = await call(make(side));
    seen[`${form}, left`] = fs.readdirSync(side.dir, { recursive: true }).sort();
  };
  await run('promise', (path) => side.attempt(() => side.fsp.rm(path, ...options)));
  await run('callback', (path) => side.callback((cb) => side.fs.rm(path, ...options, cb)));
  return seen;
}

describe('parity: rm', () => {
  same('what may be removed, with every option', async (side) => {
    const seen = {};
    const all = [
      {},
      { recursive: true },
      { force: true },
      { recursive: true, force: true, maxRetries: 2, retryDelay: 1 },
    ];
    for (const [label, make] of Object.entries(TARGETS)) {
      seen[label] = await both(side, make);
      for (const options of all) seen[`${label} ${JSON.stringify(options)}`] = await both(side, make, options);
    }
    return seen;
  });

  same('options that are none', async (side) => {
    const seen = {};
    for (const [label, odd] of ODD_VALUES) {
      seen[`path ${label}`] = await both(side, () => odd, { force: true });
      seen[`options ${label}`] = await both(side, TARGETS.tree, odd);
      for (const name of ['recursive', 'force', 'maxRetries', 'retryDelay', 'other']) {
        seen[`${name} ${label}`] = await both(side, TARGETS.tree, { recursive: true, [name]: odd });
      }
    }
    return seen;
  });

  same('a tree that may not be removed', async (side) => {
    const seen = {};
    const user = process.geteuid();
    fs.chmodSync(side.dir, 0o777);
    fs.chmodSync(`${side.dir}/..`, 0o755);
    for (const form of ['promise', 'callback']) {
      fs.mkdirSync(side.file(`${form}/closed`), { recursive: true });
      fs.writeFileSync(side.file(`${form}/closed/file`), '');
      try {
        if (user === 0) process.seteuid(65_534);
        else fs.chmodSync(side.file(`${form}/closed`), 0o500);
        const options = { recursive: true };
        seen[form] =
          form === 'promise'
            ? await side.attempt(() => side.fsp.rm(side.file(form), options))
            : await side.callback((cb) => side.fs.rm(side.file(form), options, cb));
      } finally {
        process.seteuid(user);
        fs.chmodSync(side.file(`${form}/closed`), 0o755);
      }
    }
    return seen;
  });
});

describe('rm: pool jobs', () => {
  let directory;
  beforeEach(() => {
    directory = temporaryDirectory();
  });
  afterEach(() => removeDirectory(directory));

  it('a tree is removed by one of them', async () => {
    const before = stats().lanes;
    for (const form of ['promise', 'callback']) {
      const top = tree({ file: (name) => `${directory}/${form}-${name}` });
      if (form === 'promise') await oursP.rm(top, { recursive: true });
      else
        await new Promise((resolve, reject) => ours.rm(top, { recursive: true }, (e) => (e ? reject(e) : resolve())));
      expect(fs.existsSync(top)).to.equal(false);
    }
    const after = stats().lanes;
    expect(after.threads.operations - before.threads.operations).to.equal(2);
    expect(after.delegated.operations - before.delegated.operations).to.equal(0);
  });

  it('a tree that takes many time slices is one of them all the same', async function () {
    this.timeout(120_000);
    const top = `${directory}/large`;
    for (let i = 0; i < 100; i++) {
      fs.mkdirSync(`${top}/${i}`, { recursive: true });
      for (let j = 0; j < 300; j++) fs.writeFileSync(`${top}/${i}/${j}`, '');
    }
    const before = stats().lanes;
    await oursP.rm(top, { recursive: true });
    expect(fs.existsSync(top)).to.equal(false);
    const after = stats().lanes;
    expect(after.threads.operations - before.threads.operations).to.equal(1);
    expect(after.delegated.operations - before.delegated.operations).to.equal(0);
  });

  it('what a link leads to stays, also one that takes the place of a folder', async () => {
    fs.mkdirSync(`${directory}/kept`);
    fs.writeFileSync(`${directory}/kept/content`, '');
    for (let round = 0; round < 50; round++) {
      const top = `${directory}/top`;
      fs.mkdirSync(`${top}/inner/deep`, { recursive: true });
      const removal = oursP.rm(top, { recursive: true, force: true });
      try {
        fs.renameSync(`${top}/inner`, `${directory}/aside`);
        fs.symlinkSync('../kept', `${top}/inner`);
      } catch {
        // The removal was quicker.
      }
      await removal.catch(() => {});
      for (const name of ['top', 'aside']) fs.rmSync(`${directory}/${name}`, { recursive: true, force: true });
      expect(fs.existsSync(`${directory}/kept/content`), `round ${round}`).to.equal(true);
    }
  });
});
