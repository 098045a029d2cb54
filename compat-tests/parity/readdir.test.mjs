// readdir: names and Dirents, their order, encodings, options and errors, with a callback and with a promise.
import fs from 'node:fs';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { stats } from 'ioengine';
import { same } from '../helpers/compare.mjs';
import { oursP } from '../helpers/oracle.mjs';
import { removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';
import { ODD_VALUES } from './support/values.mjs';

async function both(side, ...args) {
  return {
    promise: await side.attempt(() => side.fsp.readdir(...args)),
    callback: await side.callback((cb) => side.fs.readdir(...args, cb)),
  };
}

const NAMES = [
  'b',
  'a',
  'B',
  'ab',
  'a b',
  '10',
  '9',
  '.hidden',
  '..more',
  'ü',
  'zß',
  '\u{1f600}',
  'ﬀ',
  'y'.repeat(200),
];

/** One of each kind, in a folder `kinds`. */
function putKinds(side) {
  fs.mkdirSync(side.file('kinds'));
  fs.mkdirSync(side.file('kinds/folder'));
  fs.symlinkSync('folder', side.file('kinds/link to a folder'));
  fs.symlinkSync('nowhere', side.file('kinds/dangling'));
  side.put('kinds/file', 'content');
  return side.file('kinds');
}

/** A name that is no UTF-8, beside others: a byte that begins a character at its end, one in the middle. */
function putBytes(side) {
  fs.mkdirSync(side.file('bytes'));
  for (const name of ['plain', 'end\xc3', 'mid\xffdle', '\x80', 'two\xe2\x82'])
    fs.writeFileSync(Buffer.from(`${side.dir}/bytes/${name}`, 'latin1'), '');
  return side.file('bytes');
}

const OPTIONS = [
  undefined,
  null,
  'utf8',
  'utf-8',
  'UTF8',
  'buffer',
  'hex',
  'latin1',
  'base64',
  'ucs2',
  'no-such',
  '',
  {},
  { withFileTypes: true },
  { withFileTypes: false },
  { withFileTypes: 1 },
  { withFileTypes: true, encoding: 'buffer' },
  { withFileTypes: true, encoding: 'latin1' },
  { encoding: 'buffer' },
  { encoding: null },
  { recursive: false },
  { recursive: true },
  { recursive: true, withFileTypes: true },
];

describe('parity: readdir', () => {
  same('names in every encoding, with and without types', async (side) => {
    fs.mkdirSync(side.file('names'));
    for (const name of NAMES) side.put(`names/${name}`, '');
    fs.mkdirSync(side.file('empty'));
    const seen = {};
    const folders = {
      names: side.file('names'),
      kinds: putKinds(side),
      bytes: putBytes(side),
      empty: side.file('empty'),
    };
    for (const [label, folder] of Object.entries(folders)) {
      for (const options of OPTIONS) {
        // The snapshot of a Dirent shows its private type too: every property is compared.
        seen[`${label} ${JSON.stringify(options)}`] = await both(side, folder, options);
      }
      seen[`${label}, no options`] = await both(side, folder);
    }
    return seen;
  });

  same('kinds of files elsewhere: devices, sockets, links of procfs', async (side) => {
    const seen = {};
    for (const folder of ['/proc/self/task', '/dev', '/proc/self/ns', '/']) {
      seen[folder] = await both(side, folder, { withFileTypes: true });
      seen[`${folder}, names`] = await both(side, folder);
    }
    const dirents = await side.fsp.readdir(putKinds(side), { withFileTypes: true });
    seen.methods = dirents.map((dirent) => [
      dirent.name,
      dirent instanceof side.fs.Dirent,
      dirent.isFile(),
      dirent.isDirectory(),
      dirent.isSymbolicLink(),
      dirent.isFIFO(),
    ]);
    return seen;
  });

  same('forms of paths, and paths that fail', async (side) => {
    const folder = putKinds(side);
    fs.symlinkSync('loop', side.file('loop'));
    const paths = {
      url: pathToFileURL(folder),
      buffer: Buffer.from(folder),
      bytes: new Uint8Array(Buffer.from(folder)),
      slash: `${folder}/`,
      dots: `${folder}/../kinds/.`,
      'through a link': `${folder}/link to a folder`,
      file: `${folder}/file`,
      'a file with a slash': `${folder}/file/`,
      absent: side.file('no'),
      dangling: `${folder}/dangling`,
      loop: side.file('loop'),
      'a long name': `${side.dir}/${'y'.repeat(300)}`,
      'a long path': `${side.dir}${'/y'.repeat(2500)}`,
      nul: 'a\0b',
      empty: '',
    };
    const seen = {};
    for (const [label, path] of Object.entries(paths)) {
      seen[label] = await both(side, path);
      seen[`${label}, types`] = await both(side, path, { withFileTypes: true });
    }
    for (const [label, odd] of ODD_VALUES) {
      seen[`path ${label}`] = await both(side, odd);
      seen[`options ${label}`] = await both(side, folder, odd);
      seen[`withFileTypes ${label}`] = await both(side, folder, { withFileTypes: odd });
      seen[`encoding ${label}`] = await both(side, folder, { encoding: odd });
      seen[`recursive ${label}`] = await side.attempt(() => side.fsp.readdir(folder, { recursive: odd }));
      seen[`callback ${label}`] = await side.attempt(() => side.fs.readdir(folder, {}, odd));
    }
    return seen;
  });
});

describe('parity: readdir of large directories', () => {
  const COUNT = 3000;
  let directory;
  before(() => {
    directory = temporaryDirectory();
    for (let i = 0; i < COUNT; i++) fs.writeFileSync(`${directory}/${((i * 7919) % COUNT).toString(36)}-name`, '');
  });
  after(() => removeDirectory(directory));

  it('all names, in node’s order', async () => {
    const wanted = fs.readdirSync(directory);
    expect(wanted.length).to.equal(COUNT);
    expect(await oursP.readdir(directory)).to.deep.equal(wanted);
    const dirents = await oursP.readdir(directory, { withFileTypes: true });
    expect(dirents.map(({ name }) => name)).to.deep.equal(wanted);
    expect(dirents.every((dirent) => dirent.isFile())).to.equal(true);
  });

  it('each is one pool job', async () => {
    await oursP.readdir(directory, { withFileTypes: true });
    const before = stats().lanes;
    await oursP.readdir(directory);
    await oursP.readdir(directory, { withFileTypes: true });
    const after = stats().lanes;
    expect(after.threads.operations - before.threads.operations).to.equal(2);
    expect(after.delegated.operations - before.delegated.operations).to.equal(0);
  });
});
