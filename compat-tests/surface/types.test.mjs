// TypeScript users get full types: a file that uses the package has to compile, and a wrong use must not.
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { skipBecause } from '../helpers/compare.mjs';
import { subjectOverridden } from '../helpers/oracle.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const fixtures = path.join(here, 'types');

function compile(file, moduleKind) {
  const tsc = path.join(path.dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
  const options = [
    '--noEmit',
    '--strict',
    '--target',
    'es2022',
    '--lib',
    'es2023',
    '--types',
    'node',
    '--module',
    moduleKind,
    '--moduleResolution',
    moduleKind,
    '--skipLibCheck',
    'false',
    '--ignoreConfig',
  ];
  // TypeScript before 6 has no --ignoreConfig, and needs none when files are named.
  const version = Number(createRequire(import.meta.url)('typescript/package.json').version.split('.')[0]);
  if (version < 6) options.pop();
  return new Promise((resolve) => {
    execFile(process.execPath, [tsc, ...options, path.join(fixtures, file)], { cwd: fixtures }, (error, stdout) =>
      resolve({ code: error ? (error.code ?? 1) : 0, stdout }),
    );
  });
}

describe('surface: types', () => {
  before(function () {
    if (subjectOverridden) skipBecause(this, 'the types belong to ioengine, and another subject is in its place');
  });

  for (const file of ['usage.mts', 'usage.cts']) {
    it(`${file} compiles`, async () => {
      expect((await compile(file, 'node16')).stdout).to.equal('');
    });
  }

  it('wrong uses are refused, each on its line', async () => {
    const { code, stdout } = await compile('misuse.mts', 'node16');
    expect(code).to.not.equal(0);
    const lines = fs.readFileSync(path.join(fixtures, 'misuse.mts'), 'utf8').split('\n');
    const expected = lines.flatMap((line, index) => (line.includes('// refused') ? [index + 1] : []));
    const refused = [...new Set([...stdout.matchAll(/misuse\.mts\((\d+),/g)].map((match) => Number(match[1])))].sort(
      (a, b) => a - b,
    );
    expect(expected.length).to.be.greaterThan(3);
    expect(refused, stdout).to.deep.equal(expected);
  });
});
