// The commands that CONTRIBUTING.md names do what it says.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { filesBelow, inRoot } from '../../scripts/lib/paths.mjs';

const programs = readdirSync(inRoot('scripts'))
  .filter((name) => name.endsWith('.mjs') && name !== 'list-native-sources.mjs')
  .map((name) => `scripts/${name}`)
  .concat('compat-tests/run.mjs', 'bench/run.mjs');

describe('repo: commands', () => {
  for (const program of programs) {
    it(`${program} --help says what it is for, and does nothing`, () => {
      const env = { ...process.env, PATH: '/nowhere' };
      const args = [inRoot(program), '--help'];
      const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', env });
      expect([status, stderr]).to.deep.equal([0, '']);
      expect(stdout.trim()).to.not.equal('');
    });
  }

  it('every --grep of CONTRIBUTING.md finds a test', () => {
    const texts = [...readFileSync(inRoot('CONTRIBUTING.md'), 'utf8').matchAll(/--grep '([^']+)'/g)];
    expect(texts).to.not.deep.equal([]);
    const titles = filesBelow(inRoot('compat-tests'), ['.test.mjs'])
      .flatMap((file) => readFileSync(file, 'utf8').match(/\b(it|same)\((['"`]).*?\2/g) ?? [])
      .join('\n');
    for (const [, text] of texts) expect(titles).to.include(text);
  });
});
