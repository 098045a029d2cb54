// fs-extra. Its copies are made inside the kernel (copyFile is node's own), so the bytes here are those of JSON and
// text.
import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { describeClient } from './support/clients.mjs';
import { expectSameTree, found, makeTree, tool } from './support/tree.mjs';

const FILES = 45;
const LAST = "import json, sys; [print(json.load(open(name, encoding='utf-8'))[-1]) for name in sys.argv[1:]]";

describeClient('fs-extra', {
  does: `copies, moves, empties and removes ${FILES} files, writes JSON; diff(1) agrees`,
  through: 'modules',
  needs: ['diff', 'python3'],
  bytes: 3_000_000,
  // rm is node's own, and calls node's lstat.
  nodes: ['lstat'],
  prepare: (folder) => makeTree(path.join(folder, 'tree'), FILES),
  check(folder, result) {
    const at = (...names) => path.join(folder, ...names);
    expectSameTree(at('tree'), at('copy'));
    expectSameTree(at('tree'), at('moved'));
    const dated = ['-type', 'f', '-printf', '%P %T@\\n'];
    expect(found(at('copy'), ...dated)).to.deep.equal(found(at('tree'), ...dated));
    expect(found(at('filtered'))).to.deep.equal(found(at('tree')).filter((name) => !name.endsWith('.js')));
    const files = Array.from({ length: 10 }, (_, index) => at('json', String(index), 'deep', 'data.json'));
    const lasts = tool('python3', ['-c', LAST, ...files], { env: { PYTHONIOENCODING: 'utf-8' } });
    expect(lasts).to.equal("{'index': 9999, 'word': 'é9999'}\n".repeat(10));
    expect(tool('wc', ['-l', at('json', 'text', 'plain.txt')])).to.match(/^100000 /);
    expect(fs.readlinkSync(at('json', 'link'))).to.equal(at('tree'));
    expect(found(at('emptied'), '-mindepth', '1')).to.deep.equal([]);
    expect(found(folder, '-maxdepth', '1', '-name', 'remov*')).to.deep.equal([]);
    expect(result).to.deep.equal({
      refused: 'dest already exists.',
      invalid: 'SyntaxError',
      same: true,
      exists: [false, true, false, true],
    });
  },
});
