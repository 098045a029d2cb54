// inFlight() and the channel `ioengine:slow`: what an operator sees of calls on a server that does not answer. Red when
// a call is missing or has another function, path, mount or age, when what has ended is listed or told, when a call is
// told twice or only at its end, and when an aborted one is forgotten while the kernel still has it.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { skip } from '../helpers/backend.mjs';
import { runChild, startChild } from '../helpers/child.mjs';
import { openRemoteMount } from '../helpers/remote-mount.mjs';

const file = fileURLToPath(new URL('./support/in-flight-child.mjs', import.meta.url));
const SLOW_MS = 200;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** A child that answers words, each with a line of JSON. */
class Child {
  #child;
  #seen = 0;

  constructor(mount) {
    this.#child = startChild({ file, args: [mount], env: { IOENGINE_SLOW_MS: `${SLOW_MS}` } });
  }

  async answer() {
    const [, line] = await this.#child.waitFor(new RegExp(`^(?:.*\\n){${this.#seen}}(.*)\\n`));
    this.#seen++;
    return JSON.parse(line);
  }

  ask(word) {
    this.#child.say(word);
    return this.answer();
  }

  kill() {
    this.#child.kill('SIGKILL');
  }
}

const onDescriptors = ['read', 'readv', 'write', 'writev', 'fsync', 'fdatasync', 'ftruncate', 'fstat', 'close'];
const ofDescriptors = [...onDescriptors, 'fchmod', 'fchown', 'futimes'];
const onTwoPaths = ['rename', 'link', 'copyFile', 'cp'];

describe('mounts: calls in flight', () => {
  let mount;
  let child;
  beforeEach(async function () {
    mount = await openRemoteMount({ cacheS: 0, directIo: true });
    if (mount.skipped) skip(this, mount.skipped);
    child = new Child(mount.mountPoint);
    await child.answer();
  });
  afterEach(() => {
    child?.kill();
    if (mount !== undefined && !mount.skipped) mount.close();
    child = undefined;
  });

  it('are listed with function, path, mount, lane and age', async () => {
    mount.stop();
    const names = await child.ask('start');
    await sleep(300);
    const listed = await child.ask('list');
    expect(listed.map((call) => call.function).sort()).to.deep.equal([...names].sort());
    for (const call of listed) {
      const name = call.function;
      // A copy makes its paths absolute, and a template is what it is.
      const target = onTwoPaths.includes(name) ? `${mount.mountPoint}/${name}-target` : undefined;
      const wanted = { path: `${mount.mountPoint}/${name === 'mkdtemp' ? 'mkdtempXXXXXX' : name}`, target };
      expect({ path: call.path, target: call.target }, name).to.deep.equal(wanted);
      expect(call, name).to.include({ mount: mount.mountPoint, kind: 'remote', lane: 'threads' });
      expect(typeof call.fd, name).to.equal(ofDescriptors.includes(name) ? 'number' : 'undefined');
      expect(call.ageMs, name).to.be.within(250, 60_000);
    }
    const ages = listed.map(({ ageMs }) => ageMs);
    expect(ages).to.deep.equal([...ages].sort((a, b) => b - a));
    expect(await child.ask('older 100')).to.equal(names.length);
    for (const ms of ['100000', '1e14', 'Infinity']) expect(await child.ask(`older ${ms}`), ms).to.equal(0);
    expect(await child.ask('refused')).to.match(/^RangeError: .*-1/);
    const before = await child.ask('kinds');
    mount.go();
    expect(await child.ask('settle')).to.equal(names.length);
    expect(await child.ask('list')).to.deep.equal([]);
    const after = await child.ask('kinds');
    expect(after.remote.operations - before.remote.operations).to.be.at.least(names.length);
    expect(after.local).to.deep.equal(before.local);
  });

  it('are told once on the channel ioengine:slow, while they hang', async () => {
    await child.ask('subscribe');
    await sleep(2 * SLOW_MS);
    expect(await child.ask('slow'), 'nothing hangs').to.deep.equal([]);
    mount.stop();
    const names = await child.ask('start');
    await sleep(3 * SLOW_MS);
    const told = await child.ask('slow');
    expect(told.map((call) => call.function).sort()).to.deep.equal([...names].sort());
    for (const call of told) {
      expect(call).to.include({ mount: mount.mountPoint, thresholdMs: SLOW_MS });
      expect(call.ageMs).to.be.at.least(SLOW_MS);
    }
    await sleep(2 * SLOW_MS);
    mount.go();
    await child.ask('settle');
    expect((await child.ask('slow')).length).to.equal(names.length);
  });

  it('go on being listed when they were aborted, until the kernel gives them back', async () => {
    fs.writeFileSync(path.join(mount.mountPoint, 'aborted'), 'content');
    mount.stop();
    const { rejected, ms, listed } = await child.ask('abort');
    expect({ rejected, listed }).to.deep.equal({ rejected: 'AbortError', listed: 1 });
    expect(ms).to.be.below(1000);
    await sleep(100);
    expect(await child.ask('aborted')).to.equal(1);
    mount.go();
    for (let tries = 0; tries < 100 && (await child.ask('aborted')) > 0; tries++) await sleep(20);
    expect(await child.ask('aborted')).to.equal(0);
  });
});

describe('calls in flight', () => {
  it('are none before the engine has started, and listening neither starts it nor keeps the process alive', async () => {
    const code = `
      import { subscribe } from 'node:diagnostics_channel';
      import { inFlight, stats } from 'ioengine';
      import fs from 'ioengine/fs';
      subscribe('ioengine:slow', () => {});
      console.log(JSON.stringify([inFlight(), Object.values(stats().kinds).map(({ operations }) => operations)]));
      await fs.promises.readFile(process.execPath);
      console.log(inFlight().length, stats().kinds.local.operations + stats().kinds.stacked.operations > 0);`;
    const child = await runChild({ code });
    expect(child.status, child.describe()).to.equal(0);
    expect(child.stdout).to.equal('[[],[0,0,0,0,0]]\n0 true\n');
  });

  it('have the lane that is to serve them', async () => {
    const code = `
      import { alignedBuffer, inFlight } from 'ioengine';
      import fs from 'ioengine/fs';
      const handle = await fs.open(process.argv[1], { flags: 'r', direct: 'try' });
      const read = handle.read(alignedBuffer(4096), 0, 4096, 0);
      const [call] = inFlight();
      console.log(JSON.stringify({ ...call, fd: call.fd === handle.fd, ageMs: call.ageMs < 1000 }));
      await read;`;
    const child = await runChild({ code, args: [process.execPath] });
    const { function: name, fd, ageMs, path: named, mount: point, lane } = child.json();
    expect({ name, fd, ageMs, named }).to.deep.equal({
      name: 'read',
      fd: true,
      ageMs: true,
      named: fs.realpathSync(process.execPath),
    });
    expect(named.startsWith(point)).to.equal(true);
    expect(['inline', 'uring', 'aio', 'threads']).to.include(lane);
  });
});
