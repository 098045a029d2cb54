// `ioengine top -- COMMAND`: what it shows is compared with what the program itself counts, and the program with what
// it does alone. Red with a thread that is not seen, a total that lacks the last interval, an exit code or an output
// that is not the program's, and with a preload that keeps a program alive.
import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { inRoot } from '../../scripts/lib/paths.mjs';
import { skip } from '../helpers/backend.mjs';
import { runChild } from '../helpers/child.mjs';
import { openRemoteMount } from '../helpers/remote-mount.mjs';
import { removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';
import { cli } from './support/cli.mjs';

const env = { IOENGINE_BACKEND: 'auto', NODE_OPTIONS: '' };
const index = JSON.stringify(inRoot('dist', 'index.mjs'));

describe('cli: top', () => {
  let folder;
  beforeEach(() => {
    folder = temporaryDirectory();
  });
  afterEach(() => removeDirectory(folder));

  function write(name, text) {
    fs.writeFileSync(path.join(folder, name), text);
    return path.join(folder, name);
  }

  /** `top --json` of a program; the lines that it printed. */
  async function watch(command, options = []) {
    const child = await cli(['top', '--json', '--interval', '30', ...options, '--', ...command], { env });
    const lines = child.stderr.split('\n').filter((line) => line.startsWith('{'));
    const messages = lines.map((line) => JSON.parse(line));
    return { child, messages, totals: messages.at(-1), samples: messages.filter(({ kind }) => kind === 'sample') };
  }

  const READS = `
    import fs from 'node:fs';
    import { stats } from ${index};
    const until = Date.now() + 300;
    while (Date.now() < until) await fs.promises.readFile(${index});
  `;

  it('counts what the program counts, and hands its output and exit code on', async () => {
    const file = write(
      'program.mjs',
      `${READS}
      // Behind the last look of the timer, and before the end.
      for (let more = 0; more < 5; more++) await fs.promises.readFile(${index});
      console.log(JSON.stringify(stats().lanes)); process.exit(7);`,
    );
    const { child, messages, totals, samples } = await watch([process.execPath, file]);
    expect(child.status, child.describe()).to.equal(7);
    const own = JSON.parse(child.stdout);
    expect(totals).to.deep.equal({ kind: 'totals', threads: 1, lanes: own });
    expect(own.inline.operations + own.threads.operations).to.be.above(10);
    expect(messages[0]).to.include({ kind: 'hello', threadId: 0, script: file, node: process.version });
    expect(samples.length).to.be.above(2);
    const counts = samples.map(({ stats: { lanes } }) => lanes.inline.operations + lanes.threads.operations);
    expect(counts).to.deep.equal([...counts].sort((one, other) => one - other));
  });

  it('sees Workers and processes below, each by itself', async () => {
    const file = write(
      'program.mjs',
      `import { Worker, isMainThread } from 'node:worker_threads';
      if (isMainThread) new Worker(new URL(import.meta.url));
      ${READS}`,
    );
    const { totals, messages } = await watch(['sh', '-c', `"${process.execPath}" "${file}"; true`]);
    expect(totals.threads).to.equal(2);
    const hellos = messages.filter(({ kind }) => kind === 'hello');
    expect(hellos.map(({ threadId }) => threadId)).to.deep.equal([0, 1]);
    expect(new Set(hellos.map(({ pid }) => pid)).size).to.equal(1);
  });

  it('shows what is published on ioengine:slow', async () => {
    const file = write(
      'program.mjs',
      `import { channel } from 'node:diagnostics_channel';
      setTimeout(() => channel('ioengine:slow').publish({ function: 'readFile', path: '/x', age: 12.5 }), 40);
      setTimeout(() => {}, 200);`,
    );
    const { samples } = await watch([process.execPath, file]);
    expect(samples.flatMap(({ slow }) => slow)).to.deep.equal([{ function: 'readFile', path: '/x', age: 12.5 }]);
    const text = await cli(['top', '--interval', '50', '--', process.execPath, file], { env });
    expect(text.stderr).to.include('slow: function readFile, path /x, age 12.5');
  });

  it('shows a call that hangs, with its path and mount', async function () {
    const mount = await openRemoteMount({ cacheS: 0 });
    if (mount.skipped) skip(this, mount.skipped);
    try {
      const file = write(
        'program.mjs',
        `import fs from 'node:fs';
        fs.promises.stat('${mount.mountPoint}/file').catch(() => console.log('answered'));
        setTimeout(() => process.exit(), 400);`,
      );
      mount.stop();
      const command = ['top', '--interval', '50', '--', process.execPath, file];
      const { stderr } = await cli(command, { env: { ...env, IOENGINE_SLOW_MS: '100' } });
      const call = `function stat, path ${mount.mountPoint}/file, mount ${mount.mountPoint}, kind remote, lane threads`;
      expect(stderr).to.match(new RegExp(`in flight: ${call}, ageMs \\d+`));
      expect(stderr).to.match(new RegExp(`slow: ${call}, ageMs \\d+(\\.\\d)?, thresholdMs 100`));
    } finally {
      mount.close();
    }
  });

  it('prints a table while it runs, and the sum at its end', async () => {
    const file = write('program.mjs', `${READS} console.log('the program');`);
    const { status, stdout, stderr } = await cli(['top', '--interval', '50', '--', process.execPath, file], { env });
    expect([status, stdout]).to.deep.equal([0, 'the program\n']);
    expect(stderr).to.match(
      /^ {2} *pid +inline\/s +uring\/s +aio\/s +threads\/s +delegated\/s +bytes +in flight +queued/m,
    );
    expect(stderr).to.match(/^ {2}\d+ .* program\.mjs$/m);
    expect(stderr)
      .to.match(/^in all, 1 thread seen:$/m)
      .and.match(/^ {2}inline +[\d,]+ /m);
  });

  it('leaves a program as it is: what it prints, how it ends, what keeps it alive', async () => {
    const file = write(
      'program.mjs',
      `import fs from 'node:fs';
      const listeners = process.eventNames().map(String).filter((name) => name !== 'exit').sort();
      process.on('beforeExit', () => console.log('end'));
      console.log(typeof process.send, listeners, process.argv.length, await fs.promises.readFile(import.meta.url.slice(7), 'utf8').then((t) => t.length));
      setTimeout(() => { throw new Error('thrown'); }, 60);`,
    );
    const nodeArgs = [`--import=file://${inRoot('dist', 'register.js')}`];
    const alone = await runChild({ file, nodeArgs, env });
    const { child } = await watch([process.execPath, file]);
    expect([child.status, child.stdout]).to.deep.equal([alone.status, alone.stdout]);
    expect(child.stderr).to.include('Error: thrown');
    const started = performance.now();
    const ends = await watch([process.execPath, '-e', '0'], ['--interval', '60000']);
    expect([ends.child.status, performance.now() - started < 20_000]).to.deep.equal([0, true]);
  });

  it('ends as the program ends, by a signal too, and says where it cannot be started', async () => {
    const place = { env: { ...env, TMPDIR: folder } };
    const killed = await cli(['top', '--', 'sh', '-c', 'kill -9 $$'], place);
    expect(killed.status).to.equal(137);
    expect(killed.stderr).to.include('no Node.js process was seen');
    const none = await cli(['top', '--', '/no/such/program'], place);
    expect([none.status, none.stderr.includes('cannot be started')]).to.deep.equal([1, true]);
    expect(fs.readdirSync(folder)).to.deep.equal([]);
  });

  it('sees a program that ends before it has waited for anything', async () => {
    const text = "require('node:fs').readFile(__filename, () => {}); process.exitCode = 3;";
    const ended = write('ended.cjs', text.replace('process.exitCode = 3', 'process.exit(3)'));
    const { child, messages, totals } = await watch([process.execPath, ended]);
    expect([child.status, totals.threads]).to.deep.equal([3, 1]);
    expect(messages.map(({ kind }) => kind)).to.deep.equal(['hello', 'sample', 'totals']);
    const waited = await watch([process.execPath, write('waited.cjs', text)]);
    expect([waited.child.status, waited.totals.threads]).to.deep.equal([3, 1]);
    const { inline, threads } = waited.totals.lanes;
    expect(inline.operations + threads.operations).to.be.above(0);
  });

  it('takes a command or a PID, not both and not neither', async () => {
    for (const args of [
      [],
      ['--'],
      ['1', '2'],
      ['x'],
      ['0'],
      ['-1'],
      ['1', '--', 'true'],
      ['--looks', '2', '--', 'true'],
    ]) {
      const { status, stderr } = await cli(['top', ...args], { env });
      expect([status, stderr.includes('ioengine top --help')], args.join(' ')).to.deep.equal([2, true]);
    }
  });
});
