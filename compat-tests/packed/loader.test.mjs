// The package with its binary missing, damaged or not for this system: the program works through node:fs and is told
// once what was tried and why it failed. Red where a file is loaded without being looked at (the process then dies).

import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { expect } from 'chai';
import { localTarget } from '../../scripts/lib/local-prebuild.mjs';
import { inRoot } from '../../scripts/lib/paths.mjs';
import { targets } from '../../scripts/lib/targets.mjs';
import { packAndInstall } from './support/install.mjs';

const PROGRAM = `
  import { createReadStream, promises } from 'ioengine/fs';
  import { backend } from 'ioengine';
  await promises.writeFile('some', 'content');
  let streamed = '';
  for await (const chunk of createReadStream('some', 'utf8')) streamed += chunk;
  console.log(backend().name, streamed, await promises.readFile('some', 'utf8'));`;

const MACHINE_OFFSET = 18;
const ARM64 = 183;
const X64 = 62;
const ANOTHER = process.arch === 'x64' ? { number: ARM64, name: 'arm64' } : { number: X64, name: 'x64' };
/** Of a whole binary: within the file header, within the program headers, within what is loaded, one byte too short. */
const CUTS = [1, 63, 64, 200, 4096, 0.5, 0.9];

describe('packed: a binary that cannot be used', function () {
  this.timeout(120_000);
  let packed;
  let binary;
  let whole;
  before(() => {
    packed = packAndInstall();
    binary = path.join(packed.installed, 'prebuilds', localTarget(), 'ioengine.node');
    whole = readFileSync(binary);
    writeFileSync(path.join(packed.folder, 'main.mjs'), PROGRAM);
    writeFileSync(
      path.join(packed.folder, 'elsewhere.cjs'),
      `for (const name of ['platform', 'arch'])
        if (process.env['TEST_' + name]) Object.defineProperty(process, name, { value: process.env['TEST_' + name] });`,
    );
  });
  afterEach(() => {
    mkdirSync(path.dirname(binary), { recursive: true });
    rmSync(binary, { force: true, recursive: true });
    writeFileSync(binary, whole);
  });
  after(() => packed?.remove());

  function runHere(env = {}) {
    const { IOENGINE_ADDON: _addon, LD_PRELOAD: _preload, NODE_OPTIONS: _options, ...inherited } = process.env;
    const { status, signal, stdout, stderr } = spawnSync(
      process.execPath,
      ['--require', './elsewhere.cjs', 'main.mjs'],
      { cwd: packed.folder, encoding: 'utf8', env: { ...inherited, IOENGINE_BACKEND: '', ...env } },
    );
    return { end: signal ?? status, stdout: stdout.trim(), stderr };
  }

  function expectFallback(run, ...reasons) {
    expect(run.end, run.stderr).to.equal(0);
    expect(run.stdout).to.equal('node content content');
    expect(run.stderr.match(/IOENGINE_FALLBACK/g)).to.have.length(1);
    for (const reason of [...reasons, 'Fix: ']) expect(run.stderr).to.include(reason);
  }

  it('is used where nothing is wrong with it', () => {
    const { end, stdout, stderr } = runHere();
    expect([end, stderr]).to.deep.equal([0, '']);
    expect(stdout).to.match(/^(uring|aio|threads) content content$/);
  });

  it('that is missing: every file that was tried', () => {
    rmSync(binary);
    const own = path.join(packed.installed, 'build', 'Release', 'ioengine.node');
    expectFallback(runHere(), `${own} does not exist`, `${binary} does not exist`, `for ${localTarget()}`);
  });

  it('that is empty', () => {
    writeFileSync(binary, '');
    expectFallback(runHere(), `${binary} is empty`);
  });

  it('that is something else', () => {
    writeFileSync(binary, '<html>'.repeat(1000));
    expectFallback(runHere(), `${binary} is not a 64-bit ELF file`);
  });

  for (const cut of CUTS) {
    it(`that was cut short, ${cut < 1 ? `at ${cut * 100} %` : `to ${cut} bytes`}`, () => {
      writeFileSync(binary, whole.subarray(0, cut < 1 ? Math.floor(whole.length * cut) : cut));
      expectFallback(runHere(), `${binary} is `);
    });
  }

  it('that is for another architecture: not said to be missing', () => {
    const other = Buffer.from(whole);
    other.writeUInt16LE(ANOTHER.number, MACHINE_OFFSET);
    writeFileSync(binary, other);
    const run = runHere();
    expectFallback(run, `${binary} is for ${ANOTHER.name}, and this process is ${process.arch}`);
    expect(run.stderr).to.not.include(`${binary} does not exist`);
  });

  it('that the dynamic linker refuses: what it says', () => {
    rmSync(binary);
    copyFileSync(process.execPath, binary);
    expectFallback(runHere(), `${binary} cannot be loaded: `);
  });

  it('on an architecture that the package has none for: which it has', () => {
    expectFallback(runHere({ TEST_arch: 'riscv64' }), 'linux-riscv64', ...targets.map(({ name }) => name));
  });

  it('on another system: which it is for, and no word of files', () => {
    const run = runHere({ TEST_platform: 'darwin' });
    expectFallback(run, 'ioengine needs Linux, this is darwin');
    expect(run.stderr).to.not.include('does not exist');
  });

  it('with a backend asked for by name: the import fails with the same cause', () => {
    rmSync(binary);
    const { end, stderr } = runHere({ IOENGINE_BACKEND: 'threads' });
    expect(end).to.equal(1);
    expect(stderr).to.include('ERR_IOENGINE_BACKEND_UNAVAILABLE').and.to.include(`${binary} does not exist`);
  });
});

describe('packed: the choice of a binary', () => {
  const { runningLibc } = createRequire(import.meta.url)(inRoot('dist', 'rest.js')).$load('native/libc');

  it('finds the C library that process.report tells', () => {
    expect(`${process.platform}-${process.arch}-${runningLibc(process.execPath)}`).to.equal(localTarget());
  });

  it('knows musl, glibc and systems that keep them elsewhere by the dynamic linker of the program', () => {
    const whole = readFileSync(process.execPath).subarray(0, 4096);
    const linker = /\/[\x21-\x7e]*ld-[\x21-\x7e]+\0/.exec(whole.toString('latin1'));
    const seen = ['/lib/ld-musl-x86_64.so.1', '/nix/ld-linux.so.2', '/ld64.so.1', '/lib/other.so'].map((name) => {
      const program = Buffer.from(whole);
      program.write(name.padEnd(linker[0].length, '\0'), linker.index, 'latin1');
      const file = inRoot('build', 'program-of-another-libc');
      writeFileSync(file, program);
      const found = runningLibc(file);
      rmSync(file);
      return found;
    });
    expect(seen).to.deep.equal(['musl', 'glibc', 'glibc', undefined]);
    expect(runningLibc('/no/such/program')).to.equal(undefined);
  });
});
