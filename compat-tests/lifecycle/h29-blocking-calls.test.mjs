// H29: inline system calls that block: open of a FIFO without a writer, close of the last descriptor of an unlinked
// file; and an endless loop of cached reads, each of which is quick. Rules: csrc/scheduler/inline_lane.h; the inline
// lane has a budget per turn. Red when such a call runs on the JavaScript thread, or when the loop never gets its turn.
import { execFileSync } from 'node:child_process';
import nodeFs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import fs from 'ioengine/fs';
import { runChild } from '../helpers/child.mjs';
import { withFreeLoop } from '../helpers/events.mjs';
import { removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';
import { writeTagged } from './support/tagged.mjs';

const BOUND_MS = 50;

describe('H29: calls that may block do not block the event loop', () => {
  let directory;
  before(() => {
    directory = temporaryDirectory();
  });
  after(() => removeDirectory(directory));

  const openings = {
    promise: (fifo) => fs.open(fifo, 'r').then((handle) => handle.close()),
    callback: (fifo) =>
      new Promise((resolve, reject) =>
        fs.open(fifo, 'r', (error, fd) => (error ? reject(error) : fs.close(fd, resolve))),
      ),
    stream: (fifo) =>
      new Promise((resolve, reject) => fs.createReadStream(fifo).on('error', reject).on('close', resolve).resume()),
  };
  for (const [form, open] of Object.entries(openings)) {
    it(`opening a FIFO that nobody writes to (${form})`, async () => {
      const fifo = path.join(directory, `fifo-${form}`);
      execFileSync('mkfifo', [fifo]);
      await withFreeLoop(async (measure) => {
        let opening;
        let settled = false;
        await measure(async () => {
          opening = open(fifo);
          opening.then(() => {
            settled = true;
          });
          await new Promise((resolve) => setTimeout(resolve, 100));
        }, BOUND_MS);
        const early = settled;
        nodeFs.closeSync(nodeFs.openSync(fifo, nodeFs.constants.O_WRONLY));
        await opening;
        // Without this a guard that "opens" FIFOs with O_NONBLOCK would pass: node waits for a writer.
        expect(early, 'open waits for a writer, as node does').to.equal(false);
      });
    });
  }

  for (const form of ['FileHandle.close', 'fs.close']) {
    it(`${form} of the last descriptor of a large unlinked file`, async () => {
      const file = path.join(directory, 'unlinked');
      const make = () => {
        const fd = nodeFs.openSync(file, 'w');
        const piece = Buffer.alloc(16 * 1024 * 1024, 1);
        for (let i = 0; i < 48; i++) nodeFs.writeSync(fd, piece, 0, piece.length, i * piece.length);
        nodeFs.closeSync(fd);
      };
      await withFreeLoop(async (measure) => {
        make();
        const control = nodeFs.openSync(file, 'r');
        nodeFs.unlinkSync(file);
        const started = performance.now();
        nodeFs.closeSync(control);
        const syncMs = performance.now() - started;

        make();
        const handle = form === 'fs.close' ? undefined : await fs.open(file, 'r');
        const fd = handle === undefined ? nodeFs.openSync(file, 'r') : undefined;
        if (handle !== undefined) await handle.read(Buffer.alloc(4096), 0, 4096, 0);
        nodeFs.unlinkSync(file);
        const close = () => (handle === undefined ? new Promise((resolve) => fs.close(fd, resolve)) : handle.close());
        // How long it takes on the thread differs from machine to machine: where it is quick, it proves nothing there.
        await measure(close, Math.max(BOUND_MS, 0.5 * syncMs));
      });
    });
  }

  const loops = {
    'await handle.read': `while (!over) { await handle.read(buffer, 0, 4096, 0); rounds++; }`,
    'await handle.read in 32 loops': `await Promise.all(Array.from({ length: 32 }, async () => {
        const own = Buffer.alloc(4096);
        while (!over) { await handle.read(own, 0, 4096, 0); rounds++; }
      }));`,
    'fs.read from its own callback': `await new Promise((resolve, reject) => {
        const again = (error) => {
          if (error) return reject(error);
          rounds++;
          if (over) resolve(); else fs.read(handle.fd, buffer, 0, 4096, 0, again);
        };
        again(null);
      });`,
    'await readFile': `while (!over) { await fs.promises.readFile(process.argv[1]); rounds++; }`,
  };
  for (const [name, loop] of Object.entries(loops)) {
    it(`an endless loop of cached reads lets a 1 ms timer fire: ${name}`, async () => {
      const file = writeTagged(path.join(directory, 'cached'), 29, 4);
      const child = await runChild({
        args: [file],
        code: `
          import net from 'node:net';
          import fs from 'ioengine/fs';
          const handle = await fs.open(process.argv[1], 'r');
          const buffer = Buffer.alloc(4096);
          await handle.read(buffer, 0, 4096, 0);
          let over = false, rounds = 0, timers = 0, immediates = 0, answers = 0;
          const tick = () => { timers++; if (!over) setTimeout(tick, 1); };
          setTimeout(tick, 1);
          const immediate = () => { immediates++; if (!over) setTimeout(() => setImmediate(immediate), 1); };
          setImmediate(immediate);
          const server = net.createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1', () => {
            const client = net.connect(server.address().port, '127.0.0.1', () => client.write('x'));
            client.on('data', () => { answers++; if (over) client.destroy(); else client.write('x'); });
          });
          // Time that this process got to run: how much of the machine it gets is not ours to say.
          const started = process.cpuUsage();
          const watch = () => {
            const { user, system } = process.cpuUsage(started);
            if (user + system >= 500_000) over = true; else setTimeout(watch, 10);
          };
          setTimeout(watch, 10);
          ${loop}
          await handle.close();
          console.log(JSON.stringify({ rounds, timers, immediates, answers }));
          process.exit(0);`,
      });
      expect(child.timedOut, 'the timer that ends the loop never fired').to.equal(false);
      expect(child.status, child.describe()).to.equal(0);
      const { rounds, timers, immediates, answers } = child.json();
      expect(rounds).to.be.above(100);
      expect(timers, 'turns of a 1 ms timer in 500 ms of running').to.be.above(50);
      expect(immediates, 'turns of setImmediate in 500 ms of running').to.be.above(20);
      expect(answers, 'echoes of a socket in 500 ms of running').to.be.above(20);
    });
  }
});
