// The harness itself must be able to fail: each rule of the runner is broken here on purpose, and has to turn red.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { inRoot, root } from '../../scripts/lib/paths.mjs';
import { mutants } from '../../scripts/mutants/table.mjs';
import { axisFaults } from '../helpers/backend.mjs';

const lanes = (counts) => {
  const all = { inline: 0, uring: 0, aio: 0, threads: 0, delegated: 0, ...counts };
  return Object.fromEntries(Object.entries(all).map(([lane, operations]) => [lane, { operations, bytes: 0 }]));
};

describe('repo: the backend axis check', () => {
  it('accepts a run in which the named backend worked', () => {
    expect(axisFaults('uring', 'uring', lanes({ uring: 5, threads: 2, inline: 9 }))).to.deep.equal([]);
    expect(axisFaults('threads', 'threads', lanes({ threads: 2 }))).to.deep.equal([]);
    expect(axisFaults('auto', 'aio', lanes({ aio: 1 }))).to.deep.equal([]);
  });

  it('refuses a run that only the inline lane served', () => {
    expect(axisFaults('uring', 'uring', lanes({ inline: 1000 }))).to.have.length(1);
  });

  it('refuses a run on another backend than the one asked for', () => {
    expect(axisFaults('uring', 'aio', lanes({ aio: 5 })).join()).to.include('uring was asked for');
  });

  it('refuses uring and aio together', () => {
    expect(axisFaults('aio', 'aio', lanes({ aio: 5, uring: 1 })).join()).to.include('the uring lane served 1');
    expect(axisFaults('threads', 'threads', lanes({ threads: 5, aio: 1 })).join()).to.include('the aio lane served 1');
  });
});

describe('repo: the reporter', () => {
  let folder;
  before(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'ioengine-harness-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** Runs one test file with the suite's own configuration. */
  function run(body, settings = {}) {
    const file = path.join(folder, 'sample.test.mjs');
    const totalsFile = path.join(folder, 'totals.json');
    const helper = pathToFileURL(inRoot('compat-tests', 'helpers', 'backend.mjs'));
    rmSync(totalsFile, { force: true });
    writeFileSync(file, `import { skip } from '${helper}';\n${body}\n`);
    const mocha = inRoot('node_modules', 'mocha', 'bin', 'mocha.js');
    const config = inRoot('compat-tests', '.mocharc.cjs');
    const env = { ...process.env, IOENGINE_TEST_TOTALS_FILE: totalsFile, ...settings };
    const { status, stdout, stderr } = spawnSync(process.execPath, [mocha, '--config', config, file], {
      cwd: root,
      env,
      encoding: 'utf8',
    });
    let totals;
    try {
      totals = JSON.parse(readFileSync(totalsFile, 'utf8'));
    } catch {
      totals = undefined;
    }
    return { status, output: stdout + stderr, totals };
  }

  it('counts passed, failed and skipped, and prints the reason of a skip', () => {
    const { totals, output } = run(`
      it('good', () => {});
      it('bad', () => { throw new Error('the message'); });
      it('left out', function () { skip(this, 'because of the moon'); });
    `);
    expect(totals).to.deep.equal({ passed: 1, failed: 1, skipped: 1, retried: 0 });
    expect(output).to.include('the message').and.to.include('skipped, because of the moon');
  });

  it('knows the reason of a suite skipped in its before hook, and of a test skipped in beforeEach', () => {
    const { totals, output } = run(`
      describe('whole', () => {
        before(function () { skip(this, 'because A'); });
        it('one', () => {});
        it('two', () => {});
        describe('inner', () => { it('three', () => {}); });
      });
      describe('each', () => {
        beforeEach(function () { skip(this, 'because B'); });
        it('four', () => {});
      });
    `);
    expect(totals).to.deep.equal({ passed: 0, failed: 0, skipped: 4, retried: 0 });
    expect(output.match(/skipped, because A/g)).to.have.length(3);
    expect(output.match(/skipped, because B/g)).to.have.length(1);
  });

  it('fails a skip without a reason', () => {
    const { totals } = run(`it('left out', function () { this.skip(); }); it('empty');`);
    expect(totals).to.deep.equal({ passed: 0, failed: 2, skipped: 0, retried: 0 });
  });

  it('tells of what passes only when it is tried again, and fails what never does', () => {
    const { totals, output } = run(
      `let tries = 0;
       it('sometimes', () => { if (++tries === 1) throw new Error('the first time'); });
       it('never', () => { throw new Error('always'); });`,
      { IOENGINE_TEST_RETRIES: '1' },
    );
    expect(totals).to.deep.equal({ passed: 1, failed: 1, skipped: 0, retried: 2 });
    expect(output).to.match(/~ sometimes: tried again, after\n\s+Error: the first time/);
  });

  it('fails a hook that throws', () => {
    const { totals } = run(
      `describe('x', () => { after(() => { throw new Error('late'); }); it('good', () => {}); });`,
    );
    expect(totals).to.deep.equal({ passed: 1, failed: 1, skipped: 0, retried: 0 });
  });

  it('refuses a focused test', () => {
    const { status, totals } = run(`it['only']('focused', () => {});`);
    expect(status).to.not.equal(0);
    expect(totals?.passed ?? 0).to.equal(0);
  });
});

// They run for too long to be part of every change, which may move what they replace.
describe('repo: mutants', () => {
  const programs = readdirSync(inRoot('csrc', 'test'));
  for (const { name, file, from, native = [], suite = [] } of mutants) {
    it(`${name}: the code and the tests are there`, () => {
      expect(existsSync(inRoot(file)), file).to.equal(true);
      expect(readFileSync(inRoot(file), 'utf8').split(from), `${file}: how often it has the text`).to.have.length(2);
      for (const part of native)
        expect(
          programs.some((program) => program.includes(part)),
          part,
        ).to.equal(true);
      for (const test of suite.filter((part) => part.endsWith('.mjs')))
        expect(existsSync(inRoot(test)), test).to.equal(true);
    });
  }
});
