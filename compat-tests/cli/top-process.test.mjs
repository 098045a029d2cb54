// `ioengine top PID`: a process that runs and knows nothing of it. Red with a thread that is not seen, counts that are
// not the program's, a signal to a process that it ends, an inspector that stays open, and a listener that stays.
import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { inRoot } from '../../scripts/lib/paths.mjs';
import { skip } from '../helpers/backend.mjs';
import { runChild, startChild } from '../helpers/child.mjs';
import { removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';
import { cli, startCli } from './support/cli.mjs';

const env = { IOENGINE_BACKEND: 'auto', NODE_OPTIONS: '' };
const register = `--import=file://${inRoot('dist', 'register.js')}`;
// A port of its own, so that nothing else on the machine is in the way.
const anyPort = '--inspect-port=127.0.0.1:0';

describe('cli: top PID', () => {
  let folder;
  const started = [];
  beforeEach(() => {
    folder = temporaryDirectory();
  });
  afterEach(async () => {
    for (const child of started.splice(0)) {
      child.kill('SIGKILL');
      await child.ended();
    }
    removeDirectory(folder);
  });

  /** A program that runs and has printed `up`. */
  async function running(text, nodeArgs = [register, anyPort], options = {}) {
    const file = path.join(folder, 'program.cjs');
    fs.writeFileSync(file, `${text}\nconsole.log('up');`);
    const child = startChild({ file, nodeArgs, env, ...options });
    started.push(child);
    await child.waitFor(/up/);
    return { child, file };
  }

  /** `top --json PID`; what it printed. */
  async function watch(pid, options = ['--looks', '3', '--interval', '50']) {
    const top = await cli(['top', '--json', ...options, `${pid}`], { env });
    expect(top.status, top.describe()).to.equal(0);
    const messages = top.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const of = (kind) => messages.filter((message) => message.kind === kind);
    return { hellos: of('hello'), samples: of('sample'), totals: messages.at(-1) };
  }

  const READS = "setInterval(() => require('node:fs').readFile(__filename, () => {}), 5);";
  const QUIET = 'setInterval(() => {}, 1000);';

  it('counts what the program counts, in the main thread and in Workers, old and new', async () => {
    const { child, file } = await running(`const { isMainThread, Worker, threadId } = require('node:worker_threads');
      const { stats } = require(${JSON.stringify(inRoot('dist', 'index.js'))});
      if (isMainThread) {
        new Worker(__filename);
        setTimeout(() => new Worker(__filename), 900);
      }
      const reading = ${READS}
      // Quiet from here on: what is counted does not change any more.
      setTimeout(() => { clearInterval(reading); ${QUIET} }, 1500);
      setTimeout(() => console.log(JSON.stringify({ threadId, lanes: stats().lanes })), 2500);`);
    await child.waitFor(/up\nup/);
    const { hellos, samples, totals } = await watch(child.pid, ['--looks', '30', '--interval', '100']);
    expect(hellos.map(({ threadId }) => threadId).sort()).to.deep.equal([0, 1, 2]);
    expect(hellos.find(({ threadId }) => threadId === 0)).to.include({
      pid: child.pid,
      script: file,
      node: process.version,
    });
    expect(totals.threads).to.equal(3);
    const own = child.stdout
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line));
    expect(own.length).to.equal(3);
    for (const { threadId, lanes } of own) {
      const last = samples.findLast((sample) => sample.threadId === threadId);
      expect(last.stats.lanes, `thread ${threadId}`).to.deep.equal(lanes);
      expect(lanes.inline.operations + lanes.threads.operations).to.be.above(10);
    }
  });

  it('shows slow calls while it watches, and leaves the program as it found it', async () => {
    const { child } = await running(`const { channel } = require('node:diagnostics_channel');
      const slow = channel('ioengine:slow');
      process.stdin.on('data', () => {
        console.log('state', slow.hasSubscribers, require('node:inspector').url() === undefined);
      });
      setInterval(() => slow.publish({ function: 'readFile', path: '/x', ageMs: 12.5 }), 20);`);
    child.stdin.write('?');
    await child.waitFor(/state/);
    const top = await cli(['top', '--looks', '3', '--interval', '80', `${child.pid}`], { env });
    expect(top.stdout).to.include('slow: function readFile, path /x, ageMs 12.5');
    expect(top.stdout)
      .to.match(/^ {2}\d+ .* program\.cjs$/m)
      .and.match(/^in all, 1 thread seen:$/m);
    await child.waitFor(/Debugger ending/, 'stderr');
    child.stdin.write('?');
    await child.waitFor(/(?:state.*\n){2}/);
    const states = child.stdout.split('\n').filter((line) => line.startsWith('state'));
    expect(states).to.deep.equal(['state false true', 'state false true']);
    // And again: the first time has left nothing in the way.
    expect((await watch(child.pid)).samples.length).to.equal(4);
  });

  it('sees a thread that has made no call yet, and one that imports the package', async () => {
    const { child } = await running(QUIET);
    const { samples } = await watch(child.pid);
    expect(samples.map(({ stats }) => stats.lanes.inline.operations)).to.deep.equal([0, 0, 0, 0]);
    const fsModule = JSON.stringify(`file://${inRoot('dist', 'fs.mjs')}`);
    const { child: importing } = await running(
      `import(${fsModule}).then(({ readFile }) => readFile(__filename, () => console.log('read'))); ${QUIET}`,
      [anyPort],
    );
    await importing.waitFor(/read/);
    const { totals } = await watch(importing.pid);
    expect(totals.lanes.inline.operations + totals.lanes.threads.operations).to.be.above(0);
  });

  it('ends when the process ends, and at SIGINT', async () => {
    const { child } = await running(`${READS} setTimeout(() => process.exit(5), 2500);`);
    const { totals } = await watch(child.pid, ['--interval', '50']);
    expect(totals.threads).to.equal(1);
    expect((await child.ended()).status).to.equal(5);
    const { child: second } = await running(READS);
    const top = startCli(['top', '--interval', '50', `${second.pid}`], { env });
    await top.waitFor(/program\.cjs/);
    top.kill('SIGINT');
    const { status, stdout } = await top.ended();
    expect([status, stdout.includes('in all, 1 thread seen:')]).to.deep.equal([0, true]);
    await second.waitFor(/Debugger ending/, 'stderr');
  });

  it('leaves an inspector open that was open before', async () => {
    const { child } = await running(
      `${READS} process.stdin.on('data', () => console.log('open', require('node:inspector').url() !== undefined));`,
      [register, '--inspect=127.0.0.1:39229'],
    );
    for (const turn of [1, 2]) expect((await watch(child.pid)).totals.threads, `turn ${turn}`).to.equal(1);
    child.stdin.write('?');
    await child.waitFor(/open true/);
  });

  it('says why a process cannot be watched, and does it no harm', async () => {
    const fails = async (pid, text) => {
      const { status, stderr } = await cli(['top', '--looks', '1', '--interval', '20', `${pid}`], { env });
      expect(stderr).to.include(text);
      expect(status).to.equal(1);
    };
    const { child: without } = await running(QUIET, [anyPort]);
    await fails(without.pid, 'has loaded ioengine: start it with --import ioengine/register');
    const { child: own } = await running(`process.on('SIGUSR1', () => console.log('signal')); ${READS}`);
    await fails(own.pid, 'it handles SIGUSR1 by itself');
    const other = startChild({ file: '60', node: 'sleep', env });
    started.push(other);
    await fails(other.pid, 'is not a Node.js process');
    const gone = await runChild({ code: 'process.exit(0)', env });
    await fails(gone.pid, 'does not run');
    for (const child of [without, own, other]) expect(process.kill(child.pid, 0)).to.equal(true);
  });

  it('does not end a process that was started with --disable-sigusr1', async function () {
    if (!process.allowedNodeEnvironmentFlags.has('--disable-sigusr1')) skip(this, 'this Node has no such option');
    const { child } = await running(QUIET, [register, '--disable-sigusr1']);
    const { status, stderr } = await cli(['top', `${child.pid}`], { env });
    expect([status, stderr.includes('does not wait for SIGUSR1')]).to.deep.equal([1, true]);
    expect(process.kill(child.pid, 0)).to.equal(true);
  });
});
