// H41: a process that ends with calls or files open on a mount whose server does not answer waits no longer than plain
// node's. With calls that wait for paths it ends at once, where node waits for libuv's threads. With a file open the
// kernel closes it as part of the exit and asks the server (FUSE_FLUSH), with or without the engine: then all that is
// left of the process is the kernel's end of it. Red when the engine waits for such calls in exit(3), in a cleanup hook
// or for its threads.
import fs from 'node:fs';
import { expect } from 'chai';
import { skip } from '../helpers/backend.mjs';
import { startChild } from '../helpers/child.mjs';
import { openRemoteMount } from '../helpers/remote-mount.mjs';

const WAIT_MS = 3000;
const NODE_WAIT_MS = 400;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const code = `
  const [mount, module, calls, end] = process.argv.slice(1);
  const { promises } = (await import(module)).default;
  const handles = calls === 'paths' ? [] : [await promises.open(mount + '/file', 'r+'), await promises.open(mount + '/file', 'r+')];
  console.log('ready');
  await new Promise((resolve) => process.stdin.once('data', resolve));
  const ignore = () => {};
  if (calls === 'paths') {
    for (let i = 0; i < 20; i++) promises.stat(mount + '/file').catch(ignore);
    promises.writeFile(mount + '/new', 'content').catch(ignore);
    promises.unlink(mount + '/file').catch(ignore);
  }
  if (calls === 'reads and writes') {
    for (const handle of handles) {
      handle.read(Buffer.alloc(100), 0, 100, 0).catch(ignore);
      handle.write(Buffer.alloc(100), 0, 100, 0).catch(ignore);
    }
  }
  setTimeout(() => {
    console.log('ending');
    if (end === 'exit') process.exit(3);
    if (end === 'throw') throw new Error('the end');
    process.stdin.destroy();
  }, 100);`;

/** What each thread of a process that has not ended waits in, by the kernel's own stack of it. */
function stacksOf(pid) {
  const folder = `/proc/${pid}/task`;
  return fs.readdirSync(folder).flatMap((thread) => {
    try {
      const isZombie = /^State:\tZ/m.test(fs.readFileSync(`${folder}/${thread}/status`, 'latin1'));
      return isZombie ? [] : [fs.readFileSync(`${folder}/${thread}/stack`, 'latin1')];
    } catch {
      return []; // it has just ended
    }
  });
}

/** The pid of the process itself, not of what started it. */
const isOver = (pid) => stacksOf(pid).every((stack) => stack.includes('do_exit'));

describe('H41: the end of a process with calls on a server that does not answer', () => {
  let mount;
  let child;
  beforeEach(async function () {
    mount = await openRemoteMount({ cacheS: 0 });
    if (mount.skipped) skip(this, mount.skipped);
    try {
      fs.readFileSync('/proc/self/stack');
    } catch (error) {
      skip(this, `/proc/self/stack cannot be read: ${error.code}`);
    }
    fs.writeFileSync(`${mount.mountPoint}/file`, Buffer.alloc(1000));
  });
  afterEach(() => {
    child?.kill('SIGKILL');
    if (mount !== undefined && !mount.skipped) mount.close();
    child = undefined;
  });

  const start = async (module, calls, end) => {
    child = startChild({ code, args: [mount.mountPoint, module, calls, end] });
    await child.waitFor(/ready/);
    mount.stop();
    child.say('go');
    await child.waitFor(/ending/);
  };
  /** Polls until it has ended, or all that is left of it is the kernel's. */
  const end = async (ms, isEnough) => {
    for (const until = performance.now() + ms; performance.now() < until && !child.over; await sleep(20)) {
      if (isEnough()) break;
    }
    return child.over ? 'ended' : isOver(child.pid) ? 'the kernel is ending it' : stacksOf(child.pid).join('\n');
  };

  for (const how of ['exit', 'throw']) {
    it(`calls on paths are not waited for (${how})`, async () => {
      await start('ioengine/fs', 'paths', how);
      expect(await end(WAIT_MS, () => false)).to.equal('ended');
      expect(child.status, child.describe()).to.equal(how === 'exit' ? 3 : 1);
    });

    for (const calls of ['open files', 'reads and writes']) {
      it(`with ${calls} nothing but the kernel is waited for (${how})`, async () => {
        await start('ioengine/fs', calls, how);
        expect(await end(WAIT_MS, () => isOver(child.pid))).to.be.oneOf(['ended', 'the kernel is ending it']);
        const hasEnded = child.over === true;
        mount.go();
        await child.ended();
        expect(child.status, child.describe()).to.equal(how === 'exit' ? 3 : 1);
        await start('node:fs', calls, how);
        await end(NODE_WAIT_MS, () => false);
        // Were node's process over while ours is not, ours would wait for more than it has to.
        expect(child.over === true && !hasEnded, 'plain node ends, and the engine does not').to.equal(false);
        mount.go();
        await child.ended();
      });
    }
  }

  it('a process with nothing left to do but calls on the mount waits for them, as with node', async () => {
    await start('ioengine/fs', 'paths', 'loop');
    expect(await end(NODE_WAIT_MS, () => false)).to.not.equal('ended');
    mount.go();
    await child.ended();
    expect(child.status, child.describe()).to.equal(0);
  });
});
