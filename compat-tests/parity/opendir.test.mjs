// opendir: a Dir of node's class over a directory that the engine reads. Entries, their order, errors and what a closed
// or a busy Dir does are node's.
import { AsyncLocalStorage } from 'node:async_hooks';
import fs from 'node:fs';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { stats } from 'ioengine';
import { skip } from '../helpers/backend.mjs';
import { ours, oursP, SIDES } from '../helpers/oracle.mjs';
import { removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';

const shown = ({ code, message, name, stack, ...rest }) => ({ code, message, name, rest });

const caught = async (call) => {
  try {
    await call();
    return 'no error';
  } catch (error) {
    return shown(error);
  }
};

const entryOf = (entry) =>
  entry && [
    entry.constructor.name,
    entry.name.toString('latin1'),
    entry.parentPath?.toString(),
    entry.isDirectory(),
    entry.isSymbolicLink(),
  ];

const FILES = 300;
const OPTIONS = [
  undefined,
  'utf8',
  'buffer',
  { encoding: 'hex' },
  { bufferSize: 1 },
  { bufferSize: 1024, encoding: 'latin1' },
  { recursive: true },
  { recursive: true, bufferSize: 3 },
];

describe('parity: opendir', () => {
  let directory;
  before(() => {
    directory = temporaryDirectory();
    for (const name of ['empty', 'a/b/c', 'a/d']) fs.mkdirSync(`${directory}/${name}`, { recursive: true });
    for (let i = 0; i < FILES; i++) fs.writeFileSync(`${directory}/a/file ${i}`, '');
    fs.writeFileSync(Buffer.from(`${directory}/a/b/\xff`, 'latin1'), '');
    fs.writeFileSync(`${directory}/a/b/c/ü`, '');
    fs.symlinkSync('d', `${directory}/a/link`);
  });
  after(() => removeDirectory(directory));

  async function compare(work) {
    const outcomes = [];
    for (const side of SIDES) outcomes.push(await work(side));
    expect(outcomes[1]).to.deep.equal(outcomes[0]);
  }

  for (const options of OPTIONS) {
    it(`all entries, with ${JSON.stringify(options)}`, () =>
      compare(async ({ fs: module_, fsp }) => {
        const found = {};
        for (const name of ['a', 'empty']) {
          const path = `${directory}/${name}`;
          const iterated = await fsp.opendir(path, options);
          const opened = await promisify(module_.opendir)(path, options);
          found[name] = [[], [], [], iterated.path, iterated instanceof fs.Dir, iterated.constructor === fs.Dir];
          for await (const entry of iterated) found[name][0].push(entryOf(entry));
          for (let entry = opened.readSync(); entry !== null; entry = opened.readSync())
            found[name][1].push(entryOf(entry));
          opened.closeSync();
          const read = await fsp.opendir(path, options);
          for (let entry = await read.read(); entry !== null; entry = await read.read())
            found[name][2].push(entryOf(entry));
          await read.close();
        }
        return found;
      }));
  }

  it('what is no directory, and what node has to judge', () =>
    compare(async ({ fs: module_, fsp }) => {
      const results = [];
      const path = `${directory}/a`;
      for (const args of [
        [`${directory}/none`],
        [`${path}/file 1`],
        [path, { encoding: 'no such' }],
        [7],
        [`${path}\0`],
        [Buffer.from(`${directory}/none`)],
      ]) {
        results.push(await caught(() => fsp.opendir(...args)));
        results.push(await caught(() => promisify(module_.opendir)(...args)));
      }
      for (const given of [Buffer.from(path), new URL(`file://${path}`)]) {
        const dir = await fsp.opendir(given);
        results.push(String(dir.path));
        await dir.close();
      }
      return results;
    }));

  it('a Dir that is closed, and one that is busy', () =>
    compare(async ({ fsp }) => {
      const dir = await fsp.opendir(`${directory}/a`);
      const results = [];
      const reads = [dir.read(), dir.read()];
      results.push(await caught(() => dir.readSync()), await caught(() => dir.closeSync()));
      const closed = dir.close();
      results.push((await Promise.all(reads)).map(entryOf), await closed);
      for (const method of ['read', 'readSync', 'close', 'closeSync']) results.push(await caught(() => dir[method]()));
      results.push(await new Promise((resolve) => dir.close((error) => resolve(shown(error)))));
      for (const symbol of [Symbol.asyncDispose, Symbol.dispose]) {
        if (dir[symbol] === undefined) continue;
        const another = await fsp.opendir(`${directory}/a`);
        await another[symbol]();
        results.push(await caught(() => another.read()), await another[symbol]());
      }
      return results;
    }));

  it('the async context of a read and of a close', async () => {
    const storage = new AsyncLocalStorage();
    const dir = await oursP.opendir(`${directory}/empty`);
    const seen = [];
    await storage.run('read', () => new Promise((resolve) => dir.read(() => resolve(seen.push(storage.getStore())))));
    await storage.run('close', () => new Promise((resolve) => dir.close(() => resolve(seen.push(storage.getStore())))));
    expect(seen).to.deep.equal(['read', 'close']);
  });

  it('the engine serves it, and holds a part of a large directory at a time', async () => {
    const { delegated, threads } = stats().lanes;
    const dir = await promisify(ours.opendir)(`${directory}/a`);
    let entries = 0;
    for await (const _ of dir) entries++;
    expect(entries).to.equal(FILES + 3);
    const now = stats().lanes;
    expect(now.delegated.operations - delegated.operations).to.equal(0);
    expect(now.threads.operations - threads.operations).to.be.within(4, 12);
  });

  it('leaves no descriptor open', async () => {
    const open = () => fs.readdirSync('/proc/self/fd').length;
    const before = open();
    for (let i = 0; i < 50; i++) for await (const _ of await oursP.opendir(`${directory}/a`)) if (i % 2) break;
    expect(open()).to.equal(before);
  });

  it('closes what nobody has closed when it is collected, and warns as node does', async function () {
    if (globalThis.gc === undefined) return skip(this, 'because node was started without --expose-gc');
    const warned = new Promise((resolve) => process.once('warning', (warning) => resolve(warning.message)));
    await (async () => void (await oursP.opendir(`${directory}/empty`)))();
    for (let i = 0; i < 20; i++) {
      globalThis.gc();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(await warned).to.equal('Closing directory handle on garbage collection');
  });
});
