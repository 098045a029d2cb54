// graceful-fs on top of the engine: where the process runs out of descriptors, its queue has the same effect.
import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { patternBytes } from '../helpers/tempdir.mjs';
import { describeClient } from './support/clients.mjs';
import { found, sumOf } from './support/tree.mjs';

const FILES = 250;
const sizeOf = (index) => 1000 + index * 80;

describeClient('graceful-fs', {
  does: `${FILES} files at once with 100 descriptors: EMFILE without it, none with it`,
  through: 'option',
  needs: ['prlimit'],
  bytes: 5_000_000,
  prepare(folder) {
    const at = (index) => path.join(folder, 'files', `file-${index}`);
    fs.mkdirSync(path.join(folder, 'files'));
    for (let index = 0; index < FILES; index++) fs.writeFileSync(at(index), patternBytes(sizeOf(index), index + 1));
    fs.writeFileSync(path.join(folder, 'expected'), `${fs.readFileSync(at(249), 'latin1')}249`, 'latin1');
  },
  check(folder, result) {
    expect(result.before.some).to.equal(true);
    expect(result.before.kinds).to.deep.equal(['EMFILE -24 open EMFILE: too many open files']);
    expect(result.inTurn).to.equal(FILES);
    expect(result.folders).to.equal(2 * FILES);
    const copies = found(path.join(folder, 'files'), '-name', '*.copy', '-printf', '%s\\n').map(Number);
    expect(copies).to.have.length(FILES);
    expect(copies.reduce((sum, size) => sum + size, 0)).to.equal(result.bytes);
    expect(sumOf(path.join(folder, 'files', 'file-249.copy'))).to.equal(sumOf(path.join(folder, 'expected')));
  },
});
