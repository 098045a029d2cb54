// What is in the tarball: all that an import or a type needs, and nothing else.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { factsOf } from '../../scripts/lib/binary-facts.mjs';
import { localTarget } from '../../scripts/lib/local-prebuild.mjs';
import { VISIBLE } from '../../scripts/lib/package-check.mjs';
import { inRoot } from '../../scripts/lib/paths.mjs';
import { LICENCE_OF_LIBURING, prebuildsAreCurrent } from '../../scripts/lib/prebuilds.mjs';
import { targets } from '../../scripts/lib/targets.mjs';
import { filesOf, packAndInstall, run } from './support/install.mjs';

const manifest = JSON.parse(readFileSync(inRoot('package.json'), 'utf8'));

const targetsOf = (value) => (typeof value === 'string' ? [value] : Object.values(value).flatMap(targetsOf));

/** Every relative file that one names, in code or types. */
function namedBy(text) {
  const found = text.matchAll(/(?:from|import|import\(|require\()\s*['"](?<to>\.[^'"]*)['"]/g);
  return [...found].map(({ groups }) => groups.to);
}

/** The files that `entries` lead to, themselves included. */
function reached(entries, installed, files) {
  const found = new Set();
  const visit = (name) => {
    if (found.has(name)) return;
    found.add(name);
    if (!/\.(m?js|d\.m?ts)$/.test(name)) return;
    for (const to of namedBy(readFileSync(path.join(installed, name), 'utf8'))) {
      const target = path.posix.join(path.posix.dirname(name), to);
      const types = /\.d\.m?ts$/.test(name);
      const forms = types ? [`${target}.d.ts`, target.replace(/\.(m?)js$/, '.d.$1ts')] : [target, `${target}.js`];
      const file = forms.find((form) => files.includes(form));
      expect(file, `${name} names ${to}, which is not in the tarball`).to.be.a('string');
      visit(file);
    }
  };
  for (const name of entries) visit(path.posix.normalize(name));
  return [...found];
}

describe('packed: contents', function () {
  this.timeout(120_000);
  let packed;
  before(() => {
    packed = packAndInstall();
  });
  after(() => packed?.remove());

  it('has what the exports lead to, the addons and the documents, and no other file: no binding.gyp', () => {
    const { files, installed } = packed;
    const programs = [...Object.values(manifest.bin), 'dist/top-preload.js'];
    const entries = [...targetsOf(manifest.exports), manifest.main, manifest.types, ...programs];
    const used = reached(entries, installed, files);
    const binaries = prebuildsAreCurrent()
      ? [...targets.map(({ name }) => `prebuilds/${name}/ioengine.node`), `prebuilds/${LICENCE_OF_LIBURING}`]
      : [`prebuilds/${localTarget()}/ioengine.node`];
    const documents = ['CHANGELOG.md', 'LICENSE', 'README.md', 'SECURITY.md', 'UPGRADING.md'];
    const withoutExports = ['fs.js', 'fs/promises.js', 'register.js'];
    const others = ['package.json', ...withoutExports, ...binaries, ...documents];
    expect(used.filter((name) => /\.m?js$/.test(name)).length).to.be.above(6);
    expect(files).to.deep.equal([...new Set([...used, ...others])].sort());
  });

  it('is installed as it was packed: nothing is built, fetched or left behind', () => {
    expect(filesOf(packed.installed)).to.deep.equal(packed.files);
    expect(
      filesOf(path.join(packed.folder, 'node_modules')).filter((name) => !name.startsWith('ioengine/')),
    ).to.deep.equal(['.bin/ioengine', '.package-lock.json']);
  });

  it('the addon has no debug information, and shows nothing but what Node looks for', () => {
    const addon = path.join(packed.installed, 'prebuilds', localTarget(), 'ioengine.node');
    expect(readFileSync(addon).length, 'bytes').to.be.below(1024 * 1024);
    const { stripped, defined } = factsOf(addon);
    expect([stripped, defined]).to.deep.equal([true, VISIBLE]);
  });

  it('publint --strict has nothing to say', () => {
    const program = inRoot('node_modules', 'publint', 'src', 'cli.js');
    expect(run(process.execPath, [program, 'run', packed.tarball, '--strict'])).to.include('All good!');
  });

  it('attw resolves every entry in every mode, the old node10 included', () => {
    const program = inRoot('node_modules', '@arethetypeswrong', 'cli', 'dist', 'index.js');
    const output = run(process.execPath, [program, packed.tarball, '--format', 'json']);
    const { analysis } = JSON.parse(output);
    expect(Object.keys(analysis.entrypoints).sort()).to.deep.equal(Object.keys(manifest.exports).sort());
    expect(analysis.problems).to.deep.equal([]);
  });
});
