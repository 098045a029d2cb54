// The files of dist/ hold the same code more than once (import and require each read one file). Whatever is loaded
// first, and however, a thread has one module object, one engine and one set of counters.
import { execFileSync } from 'node:child_process';
import { expect } from 'chai';
import { alignedBuffer } from 'ioengine';
import { inRoot } from '../../scripts/lib/paths.mjs';
import { skipBecause } from '../helpers/compare.mjs';
import { subjectOverridden } from '../helpers/oracle.mjs';

/** All ways in, each as an expression that gives [what it is, the object]. */
const WAYS = {
  "import 'ioengine/fs'": "['fs', (await import('ioengine/fs')).default]",
  "require('ioengine/fs')": "['fs', require('ioengine/fs')]",
  "import 'ioengine/fs/promises'": "['promises', (await import('ioengine/fs/promises')).default]",
  "require('ioengine/fs/promises')": "['promises', require('ioengine/fs/promises')]",
  "import 'ioengine'": "['stats', (await import('ioengine')).stats]",
  "require('ioengine')": "['stats', require('ioengine').stats]",
};

function run(script) {
  const args = ['--input-type=module', '--eval', script];
  const env = { ...process.env, IOENGINE_BACKEND: 'threads' };
  return execFileSync(process.execPath, args, { cwd: inRoot(), env, encoding: 'utf8' });
}

/** Takes every way, `first` before the others, and uses what came first. */
const script = (first) => `
  import { createRequire } from 'node:module';
  import { pathToFileURL } from 'node:url';
  const require = createRequire(pathToFileURL(process.cwd() + '/'));
  const ways = [${[first, ...Object.keys(WAYS).filter((way) => way !== first)].map((way) => WAYS[way]).join()}];
  const found = { fs: new Set(), promises: new Set(), stats: new Set() };
  for (const [what, object] of ways) found[what].add(object);
  found.promises.add([...found.fs][0].promises);
  await ([...found.fs][0].promises).readFile('package.json');
  const { lanes } = [...found.stats][0]();
  const operations = lanes.inline.operations + lanes.threads.operations;
  console.log(JSON.stringify([found.fs.size, found.promises.size, found.stats.size, operations > 0]));
`;

describe('surface: entry points', function () {
  this.timeout(60_000);
  before(function () {
    if (subjectOverridden)
      skipBecause(this, 'the entry points are those of ioengine, and another subject is in its place');
  });

  for (const first of Object.keys(WAYS)) {
    it(`one object, one engine: ${first} first`, () => {
      expect(JSON.parse(run(script(first)))).to.deep.equal([1, 1, 1, true]);
    });
  }

  it('a Worker has its own', () => {
    const output = run(`
      import fs from 'ioengine/fs';
      import { Worker } from 'node:worker_threads';
      fs.mark = true;
      const code = \`
        const required = require('ioengine/fs');
        import('ioengine/fs').then((imported) => console.log(required === imported.default, required.mark));\`;
      new Worker(code, { eval: true, execArgv: [] });
    `);
    expect(output.trim()).to.equal('true undefined');
  });

  it('an import that failed fails again, and leaves nothing behind', () => {
    const output = run(`
      import { createRequire } from 'node:module';
      import { pathToFileURL } from 'node:url';
      const require = createRequire(pathToFileURL(process.cwd() + '/'));
      process.env.IOENGINE_BACKEND = 'none';
      const seen = [await import('ioengine/fs').catch(({ code }) => code)];
      for (let round = 0; round < 2; round++) {
        try { seen.push(typeof require('ioengine/fs')); } catch ({ code }) { seen.push(code); }
      }
      process.env.IOENGINE_BACKEND = 'threads';
      seen.push(typeof require('ioengine/fs').read);
      console.log(seen.join());
    `);
    const unknown = 'ERR_IOENGINE_BACKEND_UNKNOWN';
    expect(output.trim()).to.equal([unknown, unknown, unknown, 'function'].join());
  });
});

describe('surface: alignedBuffer', () => {
  const BYTES_MAX = 2 ** 31;

  for (const size of [2.5 * 2 ** 30, BYTES_MAX + 1, Infinity, -1, NaN]) {
    it(`${size} bytes are refused`, () => {
      expect(() => alignedBuffer(size))
        .to.throw(RangeError, `It must be >= 0 && <= ${BYTES_MAX}. Received ${size}`)
        .with.property('code', 'ERR_OUT_OF_RANGE');
    });
  }

  it('2 GiB are given; what is no number is refused as such', () => {
    expect(alignedBuffer(BYTES_MAX)).to.have.length(BYTES_MAX);
    expect(() => alignedBuffer('9999999999'))
      .to.throw(TypeError)
      .with.property('code', 'ERR_INVALID_ARG_TYPE');
  });
});
