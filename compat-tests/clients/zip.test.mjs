// archiver writes zip files that unzip(1) and Python read, and yauzl extracts them as they were.
import path from 'node:path';
import { expect } from 'chai';
import { describeClient } from './support/clients.mjs';
import { makeTree, sums, tool } from './support/tree.mjs';

const FILES = 45;

const PYTHON = `
import hashlib, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as z:
    for info in z.infolist():
        if not info.is_dir() and (info.external_attr >> 28) != 0o12:
            print(hashlib.sha256(z.read(info)).hexdigest(), '  ./', info.filename, sep='')
`;

describeClient('zip', {
  does: `archiver packs ${FILES} files, yauzl extracts them; unzip(1) and Python agree`,
  through: 'modules',
  needs: ['unzip', 'python3'],
  bytes: 10_000_000,
  prepare: (folder) => makeTree(path.join(folder, 'tree'), FILES),
  check(folder) {
    const expected = sums(path.join(folder, 'tree'));
    expect(Object.keys(expected)).to.have.length(FILES);
    expected['./once more.js'] = expected['./part 1/d1/file-é-1.js'];
    expected['./as a stream'] = expected['./part 2/d2/file-é-2.txt'];
    for (const name of ['deflated', 'stored']) {
      const file = path.join(folder, `${name}.zip`);
      expect(tool('unzip', ['-tq', file])).to.include('No errors detected');
      const lines = tool('python3', ['-c', PYTHON, file], { env: { PYTHONIOENCODING: 'utf-8' } }).split('\n');
      const read = lines.filter(Boolean).map((line) => [line.slice(66), line.slice(0, 64)]);
      expect(Object.fromEntries(read)).to.deep.equal(expected);
      expect(sums(path.join(folder, name))).to.deep.equal(expected);
    }
  },
});
