// A project that has nothing but the tarball: every entry is imported and required, and does real work.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { localTarget } from '../../scripts/lib/local-prebuild.mjs';
import { inRoot } from '../../scripts/lib/paths.mjs';
import { unavailability } from '../run.availability.mjs';
import { packAndInstall, run } from './support/install.mjs';

const manifest = JSON.parse(readFileSync(inRoot('package.json'), 'utf8'));

/** Writes a file in every way and reads it back; ends with what the engine did. `fs`, `fsp`, `engine` are in scope. */
const WORK = `
  const text = 'some content\\n'.repeat(1000);
  await fsp.writeFile('file', text);
  await new Promise((resolve, reject) => fs.appendFile('file', 'end', (error) => (error ? reject(error) : resolve())));
  const handle = await fs.open('file', 'r');
  const { bytesRead } = await handle.read(Buffer.alloc(100_000), 0, 100_000, 0);
  await handle.sync();
  await handle.close();
  let streamed = '';
  for await (const chunk of fs.createReadStream('file', { encoding: 'utf8' })) streamed += chunk;
  const { lanes } = engine.stats();
  const served = lanes.inline.operations + lanes.uring.operations + lanes.aio.operations + lanes.threads.operations;
  console.log(JSON.stringify({
    bytesRead,
    equal: streamed === text + 'end',
    engine: served > 5,
    name: engine.backend().name,
    aligned: engine.alignedBuffer(4096).length,
    one: fs.promises === fsp,
    addon: process.report.getReport().sharedObjects.filter((file) => file.endsWith('ioengine.node')),
  }));`;

const PROGRAMS = {
  'import.mjs': `
  import fs from 'ioengine/fs';
  import fsp from 'ioengine/fs/promises';
  import * as engine from 'ioengine';
  ${WORK}`,
  'names.mjs': `
  import * as fs from 'ioengine/fs';
  import * as fsp from 'ioengine/fs/promises';
  import * as engine from 'ioengine';
  ${WORK.replace('fs.promises === fsp', 'fs.promises.readFile === fsp.readFile')}`,
  'require.cjs': `
  const fs = require('ioengine/fs');
  const fsp = require('ioengine/fs/promises');
  const engine = require('ioengine');
  (async () => {${WORK}})();`,
  'both.mjs': `
  import { createRequire } from 'node:module';
  import fs from 'ioengine/fs';
  import fsp from 'ioengine/fs/promises';
  const require = createRequire(import.meta.url);
  const engine = require('ioengine');
  if (require('ioengine/fs') !== fs || require('ioengine/fs/promises') !== fsp) throw new Error('two modules');
  if ((await import('ioengine')).stats !== engine.stats) throw new Error('two engines');
  ${WORK}`,
};

describe('packed: use', function () {
  this.timeout(120_000);
  let packed;
  before(() => {
    packed = packAndInstall();
    for (const [name, text] of Object.entries(PROGRAMS)) writeFileSync(path.join(packed.folder, name), text);
  });
  after(() => packed?.remove());

  // The package's own addon: sanitized runs put another one in its place, by a preload.
  const plain = process.env.IOENGINE_TEST_SANITIZED === '1' ? { NODE_OPTIONS: '', LD_PRELOAD: '' } : {};
  const inherited = { ...process.env, ...plain, IOENGINE_ADDON: '', IOENGINE_BACKEND: '' };
  const runHere = (args, env = {}) =>
    run(process.execPath, args, { cwd: packed.folder, env: { ...inherited, ...env } });

  for (const program of Object.keys(PROGRAMS)) {
    for (const backend of ['auto', 'uring', 'aio', 'threads']) {
      it(`${program} on ${backend}`, () => {
        const obstacle = backend === 'auto' ? undefined : unavailability(backend);
        if (obstacle) return expect(obstacle.excused, obstacle.reason).to.equal(true);
        const { name, addon, ...seen } = JSON.parse(runHere([program], { IOENGINE_BACKEND: backend }));
        expect(seen).to.deep.equal({ bytesRead: 13_003, equal: true, engine: true, aligned: 4096, one: true });
        if (backend !== 'auto') expect(name).to.equal(backend);
        expect(addon).to.deep.equal([path.join(packed.installed, 'prebuilds', localTarget(), 'ioengine.node')]);
      });
    }
  }

  it('package.json can be required; nothing else in the package can', () => {
    const inside = [
      'ioengine/dist/fs.js',
      'ioengine/dist/rest.js',
      `ioengine/prebuilds/${localTarget()}/ioengine.node`,
    ];
    const script = `
      const codes = ${JSON.stringify(inside)}.map((name) => { try { require(name); } catch ({ code }) { return code; } });
      console.log(JSON.stringify([require('ioengine/package.json').name, ...codes]));`;
    const refused = inside.map(() => 'ERR_PACKAGE_PATH_NOT_EXPORTED');
    expect(JSON.parse(runHere(['--eval', script]))).to.deep.equal(['ioengine', ...refused]);
  });

  it('is found by resolvers that know no exports: subpaths are files', () => {
    const script = `
      const { installed } = process.env;
      const found = ['fs', 'fs/promises'].map((name) => require(installed + '/' + name) === require('ioengine/' + name));
      require(installed + '/register');
      console.log(JSON.stringify([...found, require('fs').readFile.name, require('ioengine').backend().name !== 'node']));`;
    const seen = JSON.parse(runHere(['--eval', script], { installed: packed.installed }));
    expect(seen).to.deep.equal([true, true, 'readFile', true]);
  });

  it('npx ioengine runs the command of the package', () => {
    const npx = (args) => run('npx', ['--offline', 'ioengine', ...args], { cwd: packed.folder, env: inherited });
    expect(npx(['--version'])).to.equal(`ioengine ${manifest.version}\n`);
    const { binary } = JSON.parse(npx(['doctor', '--json']));
    expect(binary.loaded).to.match(/\/ioengine\.node$/);
    expect(path.relative(packed.installed, binary.loaded)).to.not.match(/^\.\./);
  });

  it('the command watches a program', () => {
    const command = [path.join(packed.installed, 'dist', 'cli.js'), 'top', '--', process.execPath, 'import.mjs'];
    const { stdout, stderr, status } = spawnSync(process.execPath, command, {
      cwd: packed.folder,
      env: inherited,
      encoding: 'utf8',
    });
    expect([status, JSON.parse(stdout).equal]).to.deep.equal([0, true]);
    expect(stderr).to.match(/^in all, 1 thread seen:$/m);
  });

  it('works in a Worker', () => {
    const script = `
      const { Worker } = require('node:worker_threads');
      const code = "require('ioengine/fs').promises.readFile('package.json', 'utf8').then((text) => console.log(JSON.parse(text).private))";
      new Worker(code, { eval: true });`;
    expect(runHere(['--eval', script]).trim()).to.equal('true');
  });
});
