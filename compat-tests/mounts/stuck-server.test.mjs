// H41: no mount freezes a service. With calls of every kind waiting on a server that does not answer, files elsewhere,
// libuv's pool, timers and sockets go on as before; the engine's threads stay bounded. Red when those calls take all
// the threads there are (one queue for all mounts, a number of an open file or a link that is not seen to lead there),
// when they take libuv's, or when the JavaScript thread makes a system call on the mount itself.
import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { skip } from '../helpers/backend.mjs';
import { startChild } from '../helpers/child.mjs';
import { straceObstacle } from '../helpers/faults.mjs';
import { openRemoteMount } from '../helpers/remote-mount.mjs';
import { removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';
import { RESULTS } from './support/calls.mjs';
import { MARKER } from './support/marker.mjs';
import { StuckService } from './support/stuck-service.mjs';

const COUNT = 120;
/** Between what a busy machine adds to a call and a queue that does not move, which is seconds. */
const SLOWER_MS = 250;
/** limits::threads_max, and those of node itself. */
const THREADS_MAX = 161 + 20;

const numbersFirst = `
  import fs from 'node:fs';
  import { promises, read } from 'ioengine/fs';
  const [mount, local] = process.argv.slice(1);
  const numbers = Array.from({ length: 200 }, () => fs.openSync(mount + '/file', 'r'));
  console.log('ready');
  await new Promise((resolve) => process.stdin.once('data', resolve));
  process.stdin.destroy();
  const one = (number) => new Promise((resolve) => read(number, Buffer.alloc(7), 0, 7, 0, resolve));
  const reads = Promise.all(numbers.map(one));
  await new Promise((resolve) => setTimeout(resolve, 300));
  for (let i = 0; i < 10; i++) await promises.writeFile(local + '/' + i, 'content');
  console.log('local files were written');
  console.log((await reads).filter((error) => error === null).length + ' reads');
  for (const number of numbers) fs.closeSync(number);`;

const expectGoingOn = (idle, stuck) => {
  const frozen = Object.entries(stuck).filter(([name, { p50, p99 }]) => {
    return p50 > idle[name].p50 * 1.1 + SLOWER_MS / 5 || p99 > idle[name].p99 * 1.1 + SLOWER_MS;
  });
  expect(Object.fromEntries(frozen), JSON.stringify({ idle, stuck })).to.deep.equal({});
};

describe('H41: calls on a server that does not answer', () => {
  let mount;
  let local;
  let service;
  beforeEach(async function () {
    // The kernel remembers nothing: each call asks the server.
    mount = await openRemoteMount({ cacheS: 0 });
    if (mount.skipped) skip(this, mount.skipped);
    local = temporaryDirectory();
  });
  afterEach(() => {
    service?.kill();
    if (mount !== undefined && !mount.skipped) mount.close();
    if (local !== undefined) removeDirectory(local);
    service = undefined;
  });

  const start = async (options) => {
    service = new StuckService({ mount: mount.mountPoint, local, count: COUNT, ...options });
    await service.ready();
    return service;
  };

  for (const way of ['import', 'register']) {
    it(`hold up nothing else, and settle when it does (${way})`, async () => {
      await start({ way });
      const idle = await service.ask('probe');
      mount.stop();
      const calls = await service.ask('call');
      expectGoingOn(idle, await service.ask('probe'));
      const { pending, threads } = await service.ask('pending');
      expect(pending, 'calls that wait').to.equal(calls);
      expect(threads).to.be.at.most(THREADS_MAX);
      mount.go();
      for (const [kind, results] of Object.entries(await service.ask('settle'))) {
        expect(results, kind).to.deep.equal({ [JSON.stringify(RESULTS[kind]) ?? 'undefined']: COUNT });
      }
      for (const name of fs.readdirSync(mount.mountPoint)) expect(name).to.not.match(/^(?:remove|rename)-/);
    });
  }

  it('fail when it has died, as with node', async () => {
    await start({ way: 'import' });
    mount.stop();
    await service.ask('call');
    mount.kill();
    for (const [kind, results] of Object.entries(await service.ask('settle'))) {
      const codes = Object.keys(results).filter((code) => code !== 'ENOTCONN' && code !== 'ECONNABORTED');
      expect(codes, kind).to.deep.equal(kind === 'exists' ? ['false'] : []);
    }
  });

  it('hold up nothing else when they are the first of the process, and not its end', async () => {
    mount.stop();
    await start({ way: 'import', only: 'paths' });
    await service.ask('call');
    const figures = await service.ask('probe');
    expectGoingOn(Object.fromEntries(Object.keys(figures).map((name) => [name, { p50: 0, p99: 0 }])), figures);
    const { ms, child } = await service.exit();
    expect(child.status, child.describe()).to.equal(0);
    expect(ms).to.be.below(3000);
  });

  // More than there are threads for local files, before the engine has read the list of mounts.
  it('hold up nothing else when they are the first of the process, on open descriptors', async () => {
    fs.writeFileSync(path.join(mount.mountPoint, 'file'), 'content');
    const child = startChild({ code: numbersFirst, args: [mount.mountPoint, local] });
    await child.waitFor(/^ready$/m);
    mount.stop();
    child.say('go');
    let waited = false;
    const timer = setTimeout(() => {
      waited = true;
      mount.go();
    }, 15_000);
    await child.waitFor(/^local files were written$/m);
    clearTimeout(timer);
    expect(waited, 'for the server').to.equal(false);
    mount.go();
    await child.waitFor(/^200 reads$/m);
    expect((await child.ended()).status).to.equal(0);
  });

  it('hold up nothing else when a link leads there from a local folder', async () => {
    await fs.promises.writeFile(path.join(mount.mountPoint, 'file'), 'content');
    fs.symlinkSync(mount.mountPoint, path.join(local, 'link'));
    await start({ way: 'import', only: 'paths', mount: path.join(local, 'link') });
    const idle = await service.ask('probe');
    mount.stop();
    const calls = await service.ask('call');
    expectGoingOn(idle, await service.ask('probe'));
    expect((await service.ask('pending')).pending).to.equal(calls);
    mount.go();
    const { open, writeFile, createReadStream } = await service.ask('settle');
    expect({ open, writeFile }).to.deep.equal({ open: { undefined: COUNT }, writeFile: { undefined: COUNT } });
    expect(createReadStream).to.deep.equal({ 7: COUNT });
  });

  for (const way of ['import', 'register']) {
    it(`are made on other threads than that of JavaScript (${way})`, async function () {
      const obstacle = straceObstacle();
      if (obstacle !== undefined) skip(this, obstacle);
      const strace = { named: true, trace: '%file,%desc' };
      await start({ way, count: 10, rounds: 2, strace });
      const { pid } = await service.ask('pending');
      mount.stop();
      const calls = await service.ask('call');
      await service.ask('probe');
      expect((await service.ask('pending')).pending).to.equal(calls);
      mount.go();
      await service.ask('settle');
      const { child } = await service.exit();
      // What the program itself did before is synchronous in part. Whether a number is open, and where it leads to, the
      // kernel knows by itself: no call of the filesystem.
      const since = child.trace.slice(child.trace.findIndex((line) => line.includes(MARKER)) + 1);
      const isOfKernel = (line) => line.includes('readlink("/proc/self/fd/') || line.includes('F_GETFD');
      const onMount = since.filter((line) => line.includes(mount.mountPoint) && !isOfKernel(line));
      expect(onMount.length, 'calls on the mount that strace saw').to.be.above(calls);
      expect(onMount.filter((line) => line.split(' ')[0] === String(pid))).to.deep.equal([]);
    });
  }
});
