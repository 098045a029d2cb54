// tar packs a tree that tar(1) lists, compares and extracts as it was, and extracts it itself.
import path from 'node:path';
import { expect } from 'chai';
import { describeClient } from './support/clients.mjs';
import { expectSameTree, found, makeTree, sums, tool } from './support/tree.mjs';

const FILES = 45;

describeClient('tar', {
  does: `packs and extracts ${FILES} files; tar(1) agrees`,
  through: 'modules',
  needs: ['tar', 'diff'],
  bytes: 10_000_000,
  prepare: (folder) => makeTree(path.join(folder, 'tree'), FILES),
  check(folder) {
    const tree = path.join(folder, 'tree');
    const all = found(tree, '-mindepth', '1');
    for (const [name, archive] of Object.entries({ plain: 'plain.tar', gzip: 'gzip.tgz' })) {
      const file = path.join(folder, archive);
      const listed = tool('tar', ['-tf', file, '--quoting-style=literal'])
        .split('\n')
        .map((line) => line.replace(/^\.\//, '').replace(/\/$/, ''));
      expect(listed.filter(Boolean).sort()).to.deep.equal(all);
      expect(tool('tar', ['--compare', '-f', file, '-C', tree])).to.equal('');
      const out = path.join(folder, name);
      expectSameTree(tree, out);
      expect(sums(out)).to.deep.equal(sums(tree));
      expect(found(out, '-type', 'f', '-printf', '%P %m %s %T@\\n')).to.deep.equal(
        found(tree, '-type', 'f', '-printf', '%P %m %s %T@\\n'),
      );
    }
    expect(Object.keys(sums(tree))).to.have.length(FILES);
  },
});
