// Programs that a bundler has made one file of, without a word about ioengine in its settings. Where ioengine is
// installed they run on the engine of that package; where it is not they end at once and say what to write. Red where
// a bundle takes in more than the way to the installed package: it then works through node:fs, or ends in a riddle.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';
import { bundlers } from './support/bundlers.mjs';
import { packAndInstall } from './support/install.mjs';

const WORK = `
async function main() {
  const file = fs.mkdtempSync('/tmp/ioengine-bundle-') + '/file';
  await fsp.writeFile(file, 'content');
  let streamed = '';
  for await (const chunk of fs.createReadStream(file, { encoding: 'utf8' })) streamed += chunk;
  await fsp.rm(file.slice(0, -5), { recursive: true });
  const { lanes } = engine.stats();
  const { inline, uring, aio, threads } = lanes;
  const served = [inline, uring, aio, threads].reduce((sum, { operations }) => sum + operations, 0);
  console.log(JSON.stringify({ streamed, one: fs.promises === fsp, served: served > 3 }));
}
main();`;

const PROGRAMS = {
  'import.mjs': `
    import fs from 'ioengine/fs';
    import fsp from 'ioengine/fs/promises';
    import * as engine from 'ioengine';
    ${WORK}`,
  'require.cjs': `
    const fs = require('ioengine/fs');
    const fsp = require('ioengine/fs/promises');
    const engine = require('ioengine');
    ${WORK}`,
  'register.mjs': `
    import 'ioengine/register';
    import fs from 'node:fs';
    import fsp from 'node:fs/promises';
    import * as engine from 'ioengine';
    ${WORK}`,
};
/** Where the module condition is not looked for, import and require lead to the same files as in Node. */
const programsFor = (bundler) => (bundler.includes('without') ? ['import.mjs', 'register.mjs'] : Object.keys(PROGRAMS));
const OUTPUTS = { esm: 'out.mjs', cjs: 'out.cjs' };
const EXPECTED = { streamed: 'content', one: true, served: true };

describe('packed: bundlers', function () {
  this.timeout(120_000);
  let packed;
  let elsewhere;
  before(() => {
    packed = packAndInstall();
    elsewhere = temporaryDirectory();
    for (const [name, text] of Object.entries(PROGRAMS)) writeFileSync(path.join(packed.folder, name), text);
  });
  after(() => {
    packed?.remove();
    if (elsewhere) removeDirectory(elsewhere);
  });

  async function bundle(bundler, program, format, more = {}) {
    const folder = path.join(packed.folder, `${bundler}-${program}`.replace(/\W+/g, '-'));
    const output = path.join(folder, OUTPUTS[format]);
    mkdirSync(path.dirname(output), { recursive: true });
    const said = await bundlers[bundler]({ entry: path.join(packed.folder, program), output, format, ...more });
    expect(said, 'said at build').to.deep.equal([]);
    expect(existsSync(output)).to.equal(true);
    return output;
  }

  /** A copy of the bundle, under another name. */
  function copied(file, folder, name) {
    mkdirSync(folder, { recursive: true });
    const copy = path.join(folder, name);
    copyFileSync(file, copy);
    return copy;
  }

  function runBundle(file, env = {}) {
    const { IOENGINE_ADDON: _addon, NODE_PATH: _path, ...inherited } = process.env;
    const options = { cwd: path.dirname(file), encoding: 'utf8', env: { ...inherited, IOENGINE_BACKEND: '', ...env } };
    const { status, stdout, stderr } = spawnSync(process.execPath, [file], options);
    return { status, stdout, stderr };
  }

  function expectOnEngine(file) {
    const { status, stdout, stderr } = runBundle(file);
    expect([status, stderr]).to.deep.equal([0, '']);
    expect(JSON.parse(stdout)).to.deep.equal(EXPECTED);
  }

  function expectOneClearLine(file) {
    const { status, stdout, stderr } = runBundle(file);
    expect([status, stdout]).to.deep.equal([1, '']);
    const said = stderr.split('\n').filter((line) => line.startsWith('Error: '));
    expect(said, stderr).to.have.length(1);
    expect(said[0]).to.include(`ioengine is in the bundle ${file}`).and.to.include("external: ['ioengine']");
    expect(stderr).to.include("code: 'ERR_IOENGINE_BUNDLED'");
  }

  for (const bundler of Object.keys(bundlers)) {
    for (const program of programsFor(bundler)) {
      for (const format of Object.keys(OUTPUTS)) {
        it(`${bundler}, ${program} as ${format}: the installed engine, or one clear line`, async () => {
          const file = await bundle(bundler, program, format);
          expectOnEngine(file);
          expectOneClearLine(copied(file, elsewhere, OUTPUTS[format]));
        });
      }
    }
  }

  for (const bundler of ['esbuild', 'rollup', 'webpack']) {
    it(`${bundler} with external: ['ioengine']: nothing of it is in the bundle`, async () => {
      const file = await bundle(bundler, 'import.mjs', 'esm', { external: ['ioengine'] });
      expect(readFileSync(file, 'utf8')).to.not.include('ERR_IOENGINE_BUNDLED');
      expectOnEngine(file);
      expect(runBundle(copied(file, elsewhere, 'out.mjs')).stderr).to.include("Cannot find package 'ioengine'");
    });
  }

  it('a bundle that knows the condition module has the names of the package, and not its code', async () => {
    const file = await bundle('esbuild', 'import.mjs', 'esm');
    const text = readFileSync(file, 'utf8');
    expect(text.length).to.be.below(30_000);
    expect(text).to.not.include('dlopen');
  });

  it('a bundle named index.mjs with an index.js of its own beside it', async () => {
    const file = await bundle('esbuild without the condition module', 'import.mjs', 'esm');
    const folder = path.join(packed.folder, 'own');
    const copy = copied(file, folder, 'index.mjs');
    writeFileSync(path.join(folder, 'index.js'), "throw new Error('the wrong file');");
    expectOnEngine(copy);
    expectOneClearLine(copied(file, elsewhere, 'index.mjs'));
  });

  it('IOENGINE_DISABLE=1 of register: plain node, though nothing is installed', async () => {
    const text = "import 'ioengine/register'; import fs from 'node:fs'; console.log(fs.existsSync('/'));";
    writeFileSync(path.join(packed.folder, 'disabled.mjs'), text);
    const file = copied(await bundle('esbuild', 'disabled.mjs', 'esm'), elsewhere, 'disabled.mjs');
    const { status, stdout, stderr } = runBundle(file, { IOENGINE_DISABLE: '1' });
    expect([status, stdout, stderr]).to.deep.equal([0, 'true\n', '']);
    expectOneClearLine(file);
  });
});
