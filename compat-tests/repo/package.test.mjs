// What the package promises to whoever installs it. What is in the tarball: ../packed.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect } from 'chai';
import { inRoot } from '../../scripts/lib/paths.mjs';
import { skip } from '../helpers/backend.mjs';

const manifest = JSON.parse(readFileSync(inRoot('package.json'), 'utf8'));

/** All files that an exports map leads to, whatever the conditions. */
const targetsOf = (value) => (typeof value === 'string' ? [value] : Object.values(value).flatMap(targetsOf));

// The runner builds first: as soon as there are sources, a missing dist/ is a fault and not a reason to skip.
const hasSources = existsSync(inRoot('src', 'index.ts'));

describe('repo: package', () => {
  it('has no runtime dependency and pins every other one', () => {
    expect(manifest).to.not.have.any.keys('dependencies', 'optionalDependencies', 'peerDependencies');
    const loose = Object.entries(manifest.devDependencies).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version));
    expect(loose).to.deep.equal([]);
  });

  it('runs nothing when it is installed', () => {
    expect(manifest.gypfile).to.equal(false);
    expect(manifest.scripts).to.not.have.any.keys('preinstall', 'install', 'postinstall');
  });

  it('has no script that npm would run before or behind another one, but those of packing', () => {
    const names = Object.keys(manifest.scripts);
    const hooks = names.filter((name) => names.some((other) => [`pre${other}`, `post${other}`].includes(name)));
    expect(hooks, 'npm run build would run prebuild first: so there is no build').to.deep.equal([]);
  });

  it('installs on every system', () => {
    expect(manifest).to.not.have.any.keys('os', 'cpu', 'libc');
  });

  it('exports files that the build writes, types first in every condition', function () {
    if (!hasSources) skip(this, 'because src/ has no files');
    const missing = targetsOf(manifest.exports).filter((target) => !existsSync(inRoot(target)));
    expect(missing).to.deep.equal([]);
    for (const [name, conditions] of Object.entries(manifest.exports)) {
      if (typeof conditions === 'string') continue;
      for (const condition of Object.values(conditions)) {
        expect(Object.keys(condition)[0], `first condition of ${name}`).to.equal('types');
      }
    }
  });

  it('gives one and the same object to import and to require', async function () {
    if (!hasSources) skip(this, 'because src/ has no files');
    const require = createRequire(import.meta.url);
    for (const name of ['ioengine/fs', 'ioengine/fs/promises']) {
      expect((await import(name)).default, name).to.equal(require(name));
    }
  });
});
