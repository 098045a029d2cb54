// H26: open(2) of a FIFO waits for a peer, for ever if none comes. A thread of the engine's pool that waits so is lost
// to every other operation, and to the 'exit' listener, which waits for accepted opens.
// Rule: FIFOs, character devices and sockets are opened by node:fs, whose own pool then waits as it always did; the
// inline lane takes regular files only. Red when the pool opens a FIFO itself: the regular file stays unserved and the
// child never gets past its 'exit' listeners. Red when the inline lane opens one: it succeeds without a peer.
import { execFileSync } from 'node:child_process';
import nodeFs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import fs from 'ioengine/fs';
import { startChild } from '../helpers/child.mjs';
import { removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';

const { O_RDWR, O_NONBLOCK } = nodeFs.constants;
// More than the pool of an engine (csrc/base/limits.h) and the one of libuv have together.
const OPENS = 24;

// Opens FIFOs that nobody has the other end of, then works on a regular file, and exits when it is told to.
const waiting = (open) => `
  import { once } from 'node:events';
  import { setTimeout as sleep } from 'node:timers/promises';
  import fs from 'ioengine/fs';
  const [, directory] = process.argv;
  const open = (file, flags) => ${open};
  // The first open of all takes the FileHandle class from node, through libuv's pool.
  await (await fs.promises.open(directory + '/regular', 'w')).close();
  let opened = 0;
  for (let i = 0; i < ${OPENS}; i++)
    open(directory + '/' + (i % 2 ? 'for-reading' : 'for-writing'), i % 2 ? 'r' : 'w').then(() => opened++, () => opened++);
  await sleep(100);
  const handle = await fs.promises.open(directory + '/regular', 'w+');
  const { bytesWritten } = await handle.write(Buffer.from('content'), 0, 7, 0);
  await handle.sync();
  const { bytesRead } = await handle.read(Buffer.alloc(100), 0, 100, 0);
  await handle.close();
  await fs.promises.writeFile(directory + '/whole', 'content');
  const whole = await fs.promises.readFile(directory + '/whole', 'utf8');
  console.log(JSON.stringify({ opened, bytesWritten, bytesRead, whole }));
  await once(process.stdin, 'data');
  // Behind the engine's own listener, which came with the import.
  process.on('exit', () => fs.writeSync(1, 'leaving\\n'));
  process.exit(0);`;

describe('H26: FIFOs that nobody opens from the other side', () => {
  let directory;
  beforeEach(() => {
    directory = temporaryDirectory();
    for (const name of ['for-reading', 'for-writing']) execFileSync('mkfifo', [path.join(directory, name)]);
  });
  afterEach(() => removeDirectory(directory));

  // Whoever waits to open the FIFOs is let go.
  const comeAsPeer = () =>
    ['for-reading', 'for-writing'].map((name) => nodeFs.openSync(path.join(directory, name), O_RDWR | O_NONBLOCK));

  // Whoever reads finds the end between two visits: Node 26 opens and reads in one go, so that its threads wait for
  // both.
  async function visitUntilEnd(child) {
    while (!child.over) {
      const peers = comeAsPeer();
      await sleep(20);
      for (const fd of peers) nodeFs.closeSync(fd);
    }
  }

  const ways = {
    'promises.open': 'fs.promises.open(file, flags)',
    'fs.open with a callback':
      'new Promise((resolve, reject) => fs.open(file, flags, (error, fd) => (error ? reject(error) : resolve(fd))))',
    "open with direct: 'try'": "fs.open(file, { flags, direct: 'try' })",
    'readFile and writeFile': "flags === 'r' ? fs.promises.readFile(file) : fs.promises.writeFile(file, 'x')",
  };
  for (const [name, open] of Object.entries(ways)) {
    it(`${OPENS} of them, ${name}: a regular file is served, and exit listeners run`, async () => {
      const child = startChild({ code: waiting(open), args: [directory] });
      try {
        await child.waitFor(/\n/);
        expect(child.json()).to.deep.equal({ opened: 0, bytesWritten: 7, bytesRead: 7, whole: 'content' });
        child.say('exit');
        await child.waitFor(/leaving/);
        // At its very end node itself joins the threads of libuv, so it waits for the peer too.
        await visitUntilEnd(child);
        await child.ended();
        expect(child.status, child.describe()).to.equal(0);
      } finally {
        child.kill('SIGKILL');
      }
    });
  }

  it('open stays pending without a peer although the directory and its device are well known', async () => {
    const regular = path.join(directory, 'regular');
    nodeFs.writeFileSync(regular, 'content');
    // The first open is one of the pool and tells the inline lane about the device, the second may be inline.
    for (let i = 0; i < 2; i++) await (await fs.promises.open(regular, 'r')).close();
    let opened = false;
    const opening = fs.promises.open(path.join(directory, 'for-reading'), 'r').finally(() => {
      opened = true;
    });
    await sleep(200);
    const early = opened;
    const peers = comeAsPeer();
    const handle = await opening;
    try {
      expect(early, 'opened before there was a peer').to.equal(false);
      nodeFs.writeSync(peers[0], 'from the peer');
      expect((await handle.read(Buffer.alloc(100), 0, 100, null)).bytesRead).to.equal(13);
    } finally {
      for (const fd of peers) nodeFs.closeSync(fd);
      await handle.close();
    }
  });
});
