// write-file-atomic: of many concurrent writes to one file the last one stays, and no temporary file does.
import { createHash } from 'node:crypto';
import path from 'node:path';
import { expect } from 'chai';
import { contentOf, FILES, ROUNDS } from './support/atomic.mjs';
import { describeClient } from './support/clients.mjs';
import { found, sums, tool } from './support/tree.mjs';

const sha256 = (data) => createHash('sha256').update(data).digest('hex');

describeClient('write-file-atomic', {
  does: `${FILES * ROUNDS} concurrent writes to ${FILES} files; stat(1) and sha256sum(1) agree`,
  through: 'modules',
  bytes: 5_000_000,
  // realpath is node's own, and calls node's lstat.
  nodes: ['lstat'],
  check(folder, result) {
    const expected = {};
    const modes = [];
    for (let index = 0; index < FILES; index++) {
      expected[`./file-${index}`] = sha256(contentOf(index, ROUNDS - 1));
      modes.push(index === 0 ? '751' : index === 1 ? '644' : '640');
    }
    const names = modes.map((_, index) => path.join(folder, `file-${index}`));
    expect(
      tool('stat', ['-c', '%a', ...names])
        .trim()
        .split('\n'),
    ).to.deep.equal(modes);
    expect(sums(folder)).to.deep.equal(expected);
    expect(found(folder, '-mindepth', '1', '-not', '-type', 'f')).to.deep.equal(['link']);
    expect(result.temporary).to.equal(FILES * ROUNDS);
    expect(result.failed).to.deep.equal(['ENOENT', 'open']);
  },
});
