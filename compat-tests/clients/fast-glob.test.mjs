// fast-glob answers what find(1) answers. It reads folders and attributes and no content: folders are node's to read,
// the attributes are the engine's.
import path from 'node:path';
import { expect } from 'chai';
import { describeClient } from './support/clients.mjs';
import { QUESTIONS } from './support/globs.mjs';
import { found, makeTree, tool } from './support/tree.mjs';

const FILES = 300;

describeClient('fast-glob', {
  does: 'lists, filters and attributes; find(1) agrees',
  through: 'option',
  bytes: 0,
  calls: FILES,
  prepare: (folder) => makeTree(path.join(folder, 'tree'), FILES, [0, 1, 700]),
  check(folder, { answers, sizes, streamed, existing }) {
    const cwd = path.join(folder, 'tree');
    for (const { patterns, find } of QUESTIONS) {
      const [follow, words] = find.startsWith('-L ') ? [['-L'], find.slice(3)] : [[], find];
      const args = [...follow, '.', ...words.split(' '), '-printf', '%P\\n'];
      const lines = tool('find', args, { cwd }).split('\n').filter(Boolean).sort();
      expect(answers[patterns.join()], patterns.join()).to.deep.equal(lines).and.to.not.have.length(0);
    }
    expect(sizes).to.deep.equal(found(cwd, '-type', 'f', '-printf', '%P %s %m\\n'));
    expect(streamed).to.deep.equal(answers['**/*.js'].filter((name) => !path.basename(name).startsWith('.')));
    expect(existing).to.deep.equal(['empty', 'part 0']);
  },
});
