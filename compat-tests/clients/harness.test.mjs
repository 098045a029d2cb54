// What the clients are measured with can fail: work that the engine did not do is seen, and so is damage.
import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';
import { expectShare, runClient } from './support/clients.mjs';
import { expectSameTree, makeTree, sums } from './support/tree.mjs';

const NOTHING = { operations: 0, bytes: 0 };
const NO_LANES = { inline: NOTHING, uring: NOTHING, aio: NOTHING, threads: NOTHING, delegated: NOTHING };

describe('clients: the harness', () => {
  let top;
  before(() => {
    top = temporaryDirectory();
  });
  after(() => removeDirectory(top));

  it('sees that node did the work, and a part of it', async () => {
    const folderFor = (way) => {
      const folder = path.join(top, way);
      fs.mkdirSync(folder);
      return folder;
    };
    const plain = await runClient('write-file-atomic', 'plain', folderFor('plain'));
    const served = await runClient('write-file-atomic', 'register', folderFor('served'));
    const disabled = await runClient('write-file-atomic', 'register', folderFor('disabled'), { IOENGINE_DISABLE: '1' });
    expectShare(plain, served);
    expect(disabled.counts.asynchronous).to.deep.equal(plain.counts.asynchronous);
    expect(() => expectShare(plain, disabled)).to.throw('operations of the engine');
    expect(() => expectShare(plain, { ...served, lanes: NO_LANES })).to.throw('operations of the engine');

    const asked = plain.counts.asynchronous;
    const most = { ...NO_LANES, threads: { operations: 1000, bytes: Math.floor(0.89 * asked.bytes) } };
    expect(() => expectShare(plain, { ...served, lanes: most })).to.throw('bytes of the engine');
    const left = (bytes, calls) => ({ ...served, counts: { asynchronous: { bytes, calls } } });
    expect(() => expectShare(plain, left(Math.ceil(0.11 * asked.bytes), {}))).to.throw('bytes that node moved');
    expect(() => expectShare(plain, left(0, { read: 1000 }))).to.throw('calls that node served');
  });

  it('counts asynchronous and synchronous bytes as they are', async () => {
    const program = path.join(top, 'program.mjs');
    fs.writeFileSync(
      program,
      `import { createReadStream, readFileSync, writeSync, promises, readFile, openSync, writev } from 'node:fs';
       import { promisify } from 'node:util';
       const file = ${JSON.stringify(path.join(top, 'counted'))};
       export default async function work() {
         await promises.writeFile(file, '');
         const fd = openSync(file, 'r+');
         await promisify(writev)(fd, [Buffer.alloc(20_000), Buffer.alloc(30_000)]);
         await promisify(readFile)(file);
         for await (const _ of createReadStream(file, { start: 40_000 }));
         readFileSync(file, 'utf8');
         writeSync(fd, 'text');
         await promises.access(file);
       }`,
    );
    const { counts } = await runClient(program, 'plain', top);
    expect(counts.asynchronous.bytes).to.equal(50_000 + 50_000 + 10_000);
    expect(counts.asynchronous.calls).to.include({ writeBuffers: 1, access: 1 });
    expect(counts.asynchronous.calls).to.include.any.keys('openFileHandle', 'WriteFileJob');
    expect(counts.asynchronous.calls).to.include.any.keys('open', 'ReadFileJob');
    expect(counts.synchronous.bytes).to.equal(50_000 + 4);
  });

  it('sees one changed byte, a missing file and a link that became a file', () => {
    const [a, b] = ['a', 'b'].map((name) => makeTree(path.join(top, name), 12));
    expectSameTree(a, b);
    expect(sums(a)).to.deep.equal(sums(b));
    const file = path.join(b, 'part 4', 'd1', 'file-é-4.txt');
    const bytes = fs.readFileSync(file);
    bytes[bytes.length - 1] ^= 1;
    fs.writeFileSync(file, bytes);
    expect(() => expectSameTree(a, b)).to.throw('differ');
    expect(sums(a)).to.not.deep.equal(sums(b));
    fs.copyFileSync(path.join(a, 'part 4', 'd1', 'file-é-4.txt'), file);
    fs.rmSync(path.join(b, 'link-to-nothing'));
    expect(() => expectSameTree(a, b)).to.throw('Only in');
    fs.writeFileSync(path.join(b, 'link-to-nothing'), 'nowhere');
    expect(() => expectSameTree(a, b)).to.throw('link-to-nothing');
  });
});
