// A process that gives up root: what it asks for afterwards is refused as node:fs refuses it, on the pool's threads
// (which were started as root), in the inline lane (whose caches were filled as root) and by a ring that root has made.
// What it holds open stays open, as with node:fs. Red where a lane keeps credentials of its own.
import { chmodSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { skip } from '../helpers/backend.mjs';
import { runChild } from '../helpers/child.mjs';
import { removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';

const NOBODY = 65_534;

const CODE = `
  import nodeFs from 'node:fs';
  import fs from 'ioengine/fs';
  const [, directory] = process.argv;
  const [secret, open, folder] = ['secret', 'open', 'folder/inside'].map((name) => directory + '/' + name);
  const codeOf = (promise) => promise.then(() => 'done', (error) => error.code);
  const ask = async ({ promises }) => [
    await codeOf(promises.readFile(secret)),
    await codeOf(promises.open(secret, 'r+').then((handle) => handle.close())),
    await codeOf(promises.access(secret, fs.constants.R_OK)),
    await codeOf(promises.stat(folder)),
    await codeOf(promises.readdir(directory + '/folder')),
    await codeOf(promises.writeFile(secret, 'changed')),
    await codeOf(promises.unlink(folder)),
    await codeOf(promises.readFile(open)),
  ];
  // All of them as root, so that threads run, the ring is there and every cache is warm.
  for (let i = 0; i < 3; i++) {
    await fs.promises.readFile(secret);
    await fs.promises.stat(folder);
    await fs.promises.access(secret, fs.constants.R_OK);
    await fs.promises.readdir(directory + '/folder');
  }
  const handle = await fs.promises.open(secret, 'r+');
  await handle.write('content');
  await handle.sync();
  process.setgroups([]);
  process.setgid(${NOBODY});
  process.setuid(${NOBODY});
  const engine = await ask(fs);
  const node = await ask(nodeFs);
  const held = (await handle.read(Buffer.alloc(7), 0, 7, 0)).bytesRead;
  await handle.write('CONTENT', 0);
  await handle.sync();
  await handle.close();
  console.log(JSON.stringify({ engine, node, held }));`;

describe('a process that gives up its credentials', () => {
  let directory;
  beforeEach(() => {
    directory = temporaryDirectory();
    chmodSync(directory, 0o755);
  });
  afterEach(() => removeDirectory(directory));

  it('is refused what it may no longer do, and keeps what it holds', async function () {
    if (process.getuid() !== 0) skip(this, 'because only root can give up its credentials');
    const { promises } = await import('node:fs');
    await promises.mkdir(path.join(directory, 'folder'), { mode: 0o700 });
    writeFileSync(path.join(directory, 'folder', 'inside'), '');
    writeFileSync(path.join(directory, 'secret'), 'content', { mode: 0o600 });
    writeFileSync(path.join(directory, 'open'), 'content', { mode: 0o644 });
    const { engine, node, held } = (await runChild({ code: CODE, args: [directory] })).json();
    expect(engine).to.deep.equal([...Array(7).fill('EACCES'), 'done']);
    expect(engine).to.deep.equal(node);
    expect(held).to.equal(7);
  });
});
