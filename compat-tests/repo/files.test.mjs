// Rules about the files themselves: size, focused tests, generated files, what a lock file may say.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { apiDocsFault } from '../../scripts/lib/api-docs.mjs';
import { filesBelow, inRoot, root } from '../../scripts/lib/paths.mjs';
import { skip } from '../helpers/backend.mjs';

const lines_max = 500;
const folders = ['csrc', 'src', 'compat-tests', 'bench', 'scripts'];
const endings = ['.cc', '.h', '.c', '.def', '.ts', '.mts', '.mjs', '.cjs', '.js'];
const sources = folders.flatMap((folder) => filesBelow(inRoot(folder), endings));
const nameOf = (file) => path.relative(root, file);

describe('repo: files', () => {
  it(`has no source longer than ${lines_max} lines`, () => {
    const long = sources
      .map((file) => ({ name: nameOf(file), lines: readFileSync(file, 'utf8').split('\n').length - 1 }))
      .filter(({ lines }) => lines > lines_max);
    expect(long).to.deep.equal([]);
  });

  it('has no focused test', () => {
    const focused = filesBelow(inRoot('compat-tests'), ['.test.mjs'])
      .filter((file) => /\b(describe|context|it|specify)\.only\s*\(/.test(readFileSync(file, 'utf8')))
      .map(nameOf);
    expect(focused).to.deep.equal([]);
  });

  it('skips tests only through the helper that asks for the reason', () => {
    const silent = filesBelow(inRoot('compat-tests'), ['.test.mjs'])
      .filter((file) =>
        /\b(describe|context|it|specify)\.skip\s*\(|\bx(it|describe)\s*\(/.test(readFileSync(file, 'utf8')),
      )
      .map(nameOf);
    expect(silent).to.deep.equal([]);
  });

  it('includes every test file in the run: the name ends with .test.mjs', () => {
    const missed = filesBelow(inRoot('compat-tests'), ['.js', '.mjs', '.cjs', '.ts'])
      .filter((file) => /[._-](test|spec)\.[cm]?[jt]s$/.test(file) && !file.endsWith('.test.mjs'))
      .map(nameOf);
    expect(missed).to.deep.equal([]);
  });

  for (const file of ['package-lock.json', 'scripts/api-docs/package-lock.json']) {
    it(`has a lock file that names no host: ${file}`, () => {
      const lock = JSON.parse(readFileSync(inRoot(file), 'utf8'));
      const hosts = Object.entries(lock.packages)
        .filter(([, { resolved }]) => resolved !== undefined)
        .map(([name]) => name);
      expect(hosts).to.deep.equal([]);
      const unverified = Object.entries(lock.packages)
        .filter(([name, { integrity }]) => name !== '' && integrity === undefined)
        .map(([name]) => name);
      expect(unverified, 'packages without an integrity hash').to.deep.equal([]);
    });
  }

  it('has a current API reference', () => {
    expect(apiDocsFault(), 'run npm run docs:api').to.equal(undefined);
  });

  it('has current generated files', function () {
    const generator = inRoot('scripts', 'generate-operations.mjs');
    if (!existsSync(generator)) skip(this, 'because there is no generator yet: scripts/generate-operations.mjs');
    const { status, stdout, stderr } = spawnSync(process.execPath, [generator, '--check'], { encoding: 'utf8' });
    expect(status, `${stdout}${stderr}run node scripts/generate-operations.mjs`).to.equal(0);
  });
});
