// send, the static files of express, on node:http: curl(1) gets the bytes, ranges and answers that it asked for.
import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { patternBytes } from '../helpers/tempdir.mjs';
import { describeClient } from './support/clients.mjs';
import { REQUESTS } from './support/requests.mjs';
import { setDates, sumOf, tool } from './support/tree.mjs';

const BIG_SIZE = 2_000_000;

describeClient('send', {
  does: 'ranges, entity tags, 304, 416, HEAD and 20 at once; curl(1) agrees',
  through: 'modules',
  needs: ['curl'],
  bytes: 40_000_000,
  prepare(folder) {
    const at = (name) => path.join(folder, 'tree', name);
    fs.mkdirSync(at('folder é'), { recursive: true });
    fs.mkdirSync(path.join(folder, 'out'));
    for (let index = 1; index <= 20; index++) fs.writeFileSync(at(`big-${index}`), patternBytes(BIG_SIZE, index));
    fs.writeFileSync(at('empty'), '');
    fs.writeFileSync(at('folder é/a b.txt'), 'text\n');
    setDates(path.join(folder, 'tree'));
  },
  check(folder, answers) {
    const tree = (name) => path.join(folder, 'tree', name);
    const out = (name) => path.join(folder, 'out', name);
    for (const { name, file, args, status, part } of REQUESTS) {
      expect(answers[name][0], name).to.match(new RegExp(`^HTTP/1.1 ${status} `));
      if (args.includes('--head') || ![200, 206].includes(status)) continue;
      let wanted = tree(file);
      if (part !== undefined) {
        // dd(1) cuts the same part out of the file.
        const [skip, count] = part;
        tool('dd', [
          `if=${wanted}`,
          `of=${out('part')}`,
          'bs=1M',
          'iflag=skip_bytes,count_bytes',
          `skip=${skip}`,
          `count=${count}`,
        ]);
        wanted = out('part');
      }
      expect(sumOf(out(name)), name).to.equal(sumOf(wanted));
    }
    for (let index = 1; index <= 20; index++) expect(sumOf(out(`many-${index}`))).to.equal(sumOf(tree(`big-${index}`)));
    expect(answers.head[1]).to.equal(String(BIG_SIZE));
    expect(answers['range-beyond'][2]).to.equal(`bytes */${BIG_SIZE}`);
    expect(answers['range-from-end'][2]).to.equal(`bytes ${BIG_SIZE - 12_345}-${BIG_SIZE - 1}/${BIG_SIZE}`);
  },
});
