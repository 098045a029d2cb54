// isomorphic-git writes a repository that git(1) finds nothing wrong with, and reads one that git(1) packed.
import path from 'node:path';
import { expect } from 'chai';
import { describeClient } from './support/clients.mjs';
import { fileText, FILES } from './support/repository.mjs';
import { tool } from './support/tree.mjs';

describeClient('isomorphic-git', {
  does: `${FILES} files: add, commit, status, checkout, log; git fsck agrees`,
  through: 'option',
  needs: ['git'],
  bytes: 1_000_000,
  check(folder, result) {
    const dir = path.join(folder, 'repository');
    const env = { GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null' };
    const git = (...args) => tool('git', ['-C', dir, ...args], { env });
    expect(git('fsck', '--strict', '--full', '--no-dangling')).to.equal('');
    expect(git('status', '--porcelain')).to.equal('');
    expect(git('log', '--format=%H').trim().split('\n')).to.deep.equal(result.commits.toReversed());
    expect(git('ls-files').trim().split('\n')).to.have.length(FILES - 5 + 1);
    for (const index of [0, 19]) {
      expect(git('show', `HEAD:d${index % 7}/file-${index}.txt`)).to.equal(fileText(index, 'changed'));
    }
    for (const index of [0, 24, FILES - 1]) {
      expect(git('show', `${result.commits[0]}:d${index % 7}/file-${index}.txt`)).to.equal(fileText(index));
    }
    expect(result).to.include({ restored: true, fromPack: true });
    expect(result.status).to.have.length(26);
    expect(result.unclean).to.deep.equal([]);
  },
});
