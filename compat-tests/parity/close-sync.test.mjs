// fs.close, fs.fsync and fs.fdatasync with a callback.
import fs from 'node:fs';
import { promisify } from 'node:util';
import { same } from '../helpers/compare.mjs';
import { ODD_VALUES } from './support/values.mjs';

// 0, 1 and 2 are the test runner's own descriptors.
const BAD_DESCRIPTORS = [
  ...ODD_VALUES.filter(([, value]) => value !== 0),
  ['never opened', 54_321],
  ['2^31 - 1', 2 ** 31 - 1],
];

for (const name of ['close', 'fsync', 'fdatasync']) {
  describe(`parity: fs.${name}`, () => {
    same('a file', async (side) => {
      const seen = {};
      for (const flags of ['r', 'r+', 'w', 'a']) {
        const fd = fs.openSync(side.put(`file-${flags}`, 'abc'), flags);
        seen[flags] = await side.callback((cb) => side.fs[name](fd, cb));
        if (name !== 'close') fs.closeSync(fd);
        else seen[`${flags}, twice`] = await side.callback((cb) => side.fs.close(fd, cb));
      }
      return seen;
    });
    same('directories and devices', async (side) => {
      const seen = {};
      for (const file of [side.dir, '/dev/null', '/proc/cpuinfo', '/dev/zero']) {
        const fd = fs.openSync(file, 'r');
        seen[file] = await side.callback((cb) => side.fs[name](fd, cb));
        if (name !== 'close') fs.closeSync(fd);
      }
      return seen;
    });
    same('bad descriptors', async (side) => {
      const seen = {};
      for (const [label, fd] of BAD_DESCRIPTORS) {
        // Node 20.20 aborts the process on a symbol here: there is no behaviour to compare with.
        if (typeof fd === 'symbol') continue;
        seen[label] = await side.callback((cb) => side.fs[name](fd, cb));
      }
      return seen;
    });
    same('callbacks that are none', async (side) => {
      const seen = {};
      for (const [label, odd] of ODD_VALUES) {
        if (name === 'close' && odd === undefined) continue; // that form is legal and tested below
        const fd = fs.openSync(side.put('file', 'abc'), 'r');
        seen[label] = await side.attempt(() => side.fs[name](fd, odd));
        seen[`${label}, still open`] = await side.attempt(() => fs.fstatSync(fd).isFile());
        fs.closeSync(fd);
      }
      return seen;
    });
    same('promisify', async (side) => {
      const call = promisify(side.fs[name]);
      const fd = fs.openSync(side.put('file', 'abc'), 'r+');
      const seen = {
        value: await side.attempt(() => call(fd)),
        failure: await side.attempt(() => call(54_321)),
        invalid: await side.attempt(() => call('x')),
      };
      if (name !== 'close') fs.closeSync(fd);
      return seen;
    });
  });
}

describe('parity: order of close and what was accepted before', () => {
  same('close without a callback closes', async (side) => {
    const fd = fs.openSync(side.put('file', 'abc'), 'r');
    return { returned: await side.attempt(() => side.fs.close(fd)) }; // the leak check waits for it
  });

  same('fsync after many writes of one turn', async (side) => {
    const fd = fs.openSync(side.file('file'), 'w');
    const results = [];
    for (let i = 0; i < 20; i++)
      results.push(side.callback((cb) => side.fs.write(fd, Buffer.alloc(5000, i), 0, 5000, i * 5000, cb)));
    results.push(side.callback((cb) => side.fs.fsync(fd, cb)));
    const seen = await Promise.all(results);
    fs.closeSync(fd);
    return { seen };
  });

  same('a descriptor can be opened, closed and opened again', async (side) => {
    const file = side.put('file', 'abc');
    const seen = [];
    for (let i = 0; i < 50; i++) {
      const fd = await new Promise((resolve, reject) =>
        side.fs.open(file, 'r', (error, opened) => (error ? reject(error) : resolve(opened))),
      );
      const buffer = Buffer.alloc(3);
      seen.push(await side.callback((cb) => side.fs.read(fd, buffer, 0, 3, 0, cb)));
      seen.push(await side.callback((cb) => side.fs.close(fd, cb)));
    }
    return { seen };
  });
});
