// sonic-boom, the writer under the pino logger: every line once, in order, over a rotation.
import { createHash } from 'node:crypto';
import path from 'node:path';
import { expect } from 'chai';
import { describeClient } from './support/clients.mjs';
import { LINES, lineOf } from './support/lines.mjs';
import { found, sumOf, tool } from './support/tree.mjs';

function sumOfLines(from, to) {
  const hash = createHash('sha256');
  for (let at = from; at < to; at++) hash.update(lineOf(at));
  return hash.digest('hex');
}

describeClient('sonic-boom', {
  does: `${LINES} lines twice, with flush, reopen and fsync; wc(1) and sha256sum(1) agree`,
  through: 'modules',
  bytes: 3_000_000,
  check(folder) {
    const at = (name) => path.join(folder, name);
    const lines = (name) => Number(tool('wc', ['-l', at(name)]).split(' ')[0]);
    expect(lines('log.1')).to.equal(LINES / 2);
    expect(lines('log')).to.equal(LINES / 2);
    expect(lines('new/folder/log')).to.equal(LINES);
    expect(sumOf(at('log.1'))).to.equal(sumOfLines(0, LINES / 2));
    expect(sumOf(at('log'))).to.equal(sumOfLines(LINES / 2, LINES));
    expect(sumOf(at('new/folder/log'))).to.equal(sumOfLines(0, LINES));
    expect(found(folder, '-type', 'f')).to.have.length(3);
  },
});
