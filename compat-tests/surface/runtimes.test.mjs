// Bun and Deno: the addon is not touched, everything is the host's, and it is said so; and on Node the ways in which
// all I/O is handed to node:fs.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { expect } from 'chai';
import { inRoot } from '../../scripts/lib/paths.mjs';
import { runtimeCommand, runtimeNames } from '../../scripts/lib/other-runtimes.mjs';
import { skipBecause } from '../helpers/compare.mjs';
import { removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';

const dist = (name) => JSON.stringify(inRoot('dist', name));

const IMPORTS = `
  import fs, { open } from ${dist('fs.mjs')};
  import fsp from ${dist('promises.mjs')};
  import { backend, probe, stats, alignedBuffer } from ${dist('index.mjs')};
  import process from 'node:process';`;

const EXERCISE = `
  const out = {};
  await fsp.writeFile('a', 'hello');
  out.read = [await fsp.readFile('a', 'utf8'), fs.readFileSync('a', 'utf8')];
  const handle = await open('a');
  out.handle = await handle.readFile('utf8');
  await handle.close();
  out.callback = await new Promise((resolve) => fs.stat('a', (error, found) => resolve([error, found.size])));
  out.stream = 0;
  for await (const chunk of fs.createReadStream('a')) out.stream += chunk.length;
  await new Promise((resolve) => fs.createWriteStream('b', { direct: 'try' }).end('xyz', resolve));
  await fsp.mkdir('c/d', { recursive: true });
  await fsp.rename('b', 'c/d/b');
  out.tree = await fsp.readdir('c/d');
  await fsp.rm('c', { recursive: true });
  out.absent = await fsp.stat('no').catch((error) => error.code);
  const message = (error) => error.code;
  out.direct = [
    await fsp.open('a', { direct: true }).then((h) => h.close().then(() => 'opened'), message),
    await fsp.open('a', { direct: 'try' }).then((h) => h.close().then(() => 'opened'), message),
    await new Promise((resolve) => {
      try {
        fs.createReadStream('a', { direct: true }).on('error', (error) => resolve(message(error))).on('end', () => resolve('read')).resume();
      } catch (error) {
        resolve(message(error));
      }
    }),
  ];
  out.backend = [backend().name, backend().forced, backend().reason];
  out.aligned = alignedBuffer(10).length;
  out.probe = Object.values(probe()).map((found) => found.available ?? found);
  out.lanes = stats().lanes.uring.operations;
  console.log(JSON.stringify(out));`;

const SERVED_BY_HOST = {
  read: ['hello', 'hello'],
  handle: 'hello',
  callback: [null, 5],
  stream: 5,
  tree: ['b'],
  absent: 'ENOENT',
  direct: ['ERR_IOENGINE_DIRECT_UNSUPPORTED', 'opened', 'ERR_IOENGINE_DIRECT_UNSUPPORTED'],
  aligned: 10,
  lanes: 0,
};

describe('surface: where no engine runs', function () {
  this.timeout(180_000);
  let directory;
  beforeEach(() => {
    directory = temporaryDirectory();
  });
  afterEach(() => removeDirectory(directory));

  function run(command, source, env = {}) {
    fs.writeFileSync(`${directory}/main.mjs`, IMPORTS + source);
    const [program, ...args] = command;
    return spawnSync(program, [...args, `${directory}/main.mjs`], {
      cwd: directory,
      encoding: 'utf8',
      env: { ...process.env, IOENGINE_BACKEND: '', ...env },
    });
  }

  for (const key of runtimeNames) {
    it(`${key}: everything is the host's`, function () {
      const { command, problem } = runtimeCommand(key);
      if (problem !== undefined) return skipBecause(this, problem);
      const { stdout, stderr } = run(command, EXERCISE);
      expect(stderr).to.equal('');
      const { backend, probe, ...seen } = JSON.parse(stdout);
      expect(seen).to.deep.equal(SERVED_BY_HOST);
      expect(backend.slice(0, 2)).to.deep.equal(['node', false]);
      expect(backend[2].toLowerCase()).to.include(`this is ${key}`);
      expect(probe).to.deep.equal([false, false, false]);
      const forced = run(command, EXERCISE, { IOENGINE_BACKEND: 'aio' });
      expect(forced.status).to.not.equal(0);
      expect(forced.stderr).to.include('ERR_IOENGINE_BACKEND_UNAVAILABLE');
    });
  }

  const NODE = [process.execPath];

  for (const [label, env] of [
    ['IOENGINE_BACKEND=node', { IOENGINE_BACKEND: 'node' }],
    ['IOENGINE_DISABLE=1', { IOENGINE_DISABLE: '1', IOENGINE_BACKEND: 'uring' }],
  ]) {
    it(`${label}: everything is node's, without a warning`, () => {
      const { stdout, stderr } = run(NODE, EXERCISE, env);
      expect(stderr).to.equal('');
      const { backend, probe, ...seen } = JSON.parse(stdout);
      expect(seen).to.deep.equal(SERVED_BY_HOST);
      expect(backend).to.deep.equal([
        'node',
        true,
        'node:fs was asked for with IOENGINE_BACKEND=node or IOENGINE_DISABLE=1',
      ]);
      expect(probe).to.deep.equal(Array(3).fill('not probed'));
    });
  }

  it('an addon that is not there: one warning with code, cause and fix, whatever is called and in whatever thread', () => {
    const workers = `
      const { Worker } = await import('node:worker_threads');
      for (let i = 0; i < 2; i++) await new Promise((resolve) => new Worker('const fs = require(' + JSON.stringify(${dist('fs.js')}) + '); fs.promises.stat("a")', { eval: true }).on('exit', resolve));`;
    const { stdout, stderr } = run(NODE, EXERCISE + workers, { IOENGINE_ADDON: '/no/such/addon.node' });
    const { backend, probe, ...seen } = JSON.parse(stdout);
    expect(seen).to.deep.equal(SERVED_BY_HOST);
    expect(backend.slice(0, 2)).to.deep.equal(['node', false]);
    expect(probe).to.deep.equal([false, false, false]);
    expect(stderr.match(/IOENGINE_FALLBACK/g)).to.have.length(1);
    expect(stderr).to.include('IOENGINE_ADDON names /no/such/addon.node').and.to.include('Fix: ');
    expect(stderr).to.not.match(/npm run build/);
  });

  it('a file that is no addon: the cause is said', () => {
    fs.writeFileSync(`${directory}/broken.node`, 'not an addon');
    const { stdout, stderr } = run(NODE, EXERCISE, { IOENGINE_ADDON: `${directory}/broken.node` });
    expect(JSON.parse(stdout).backend[0]).to.equal('node');
    expect(stderr).to.include('which is not a 64-bit ELF file').and.to.include('broken.node');
  });
});
