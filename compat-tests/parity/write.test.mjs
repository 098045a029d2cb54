// fs.write with a callback, in every argument form, for buffers and strings.
import fs from 'node:fs';
import { promisify } from 'node:util';
import { descriptorState, same } from '../helpers/compare.mjs';
import { NOT_VIEWS, ODD_VALUES, openedAtTen, POSITIONS, VIEWS } from './support/values.mjs';

async function once(side, call, flags = 'r+') {
  const fd = openedAtTen(side, flags);
  try {
    const result = await side.callback((callback) => call(side.fs, fd, callback));
    return { result, state: descriptorState(fd), file: side.bytes('data') };
  } finally {
    fs.closeSync(fd);
  }
}

async function table(side, rows, call, flags) {
  const seen = {};
  for (const [label, value] of rows) seen[label] = await once(side, (api, fd, cb) => call(api, fd, value, cb), flags);
  return seen;
}

const text = () => Buffer.from('0123456789');
// Writing far beyond the end succeeds and makes a huge sparse file, which would then be hashed.
const WRITE_POSITIONS = POSITIONS.filter(([label]) => !/2\^/.test(label));

describe('parity: fs.write', () => {
  same('argument forms of buffers', async (side) => ({
    'buffer only': await once(side, (api, fd, cb) => api.write(fd, text(), cb)),
    'empty options': await once(side, (api, fd, cb) => api.write(fd, text(), {}, cb)),
    'null options': await once(side, (api, fd, cb) => api.write(fd, text(), null, cb)),
    'options, all of them': await once(side, (api, fd, cb) =>
      api.write(fd, text(), { offset: 2, length: 5, position: 100 }, cb),
    ),
    'options, offset only': await once(side, (api, fd, cb) => api.write(fd, text(), { offset: 4 }, cb)),
    'options, length null': await once(side, (api, fd, cb) => api.write(fd, text(), { length: null }, cb)),
    offset: await once(side, (api, fd, cb) => api.write(fd, text(), 3, cb)),
    'offset and length': await once(side, (api, fd, cb) => api.write(fd, text(), 3, 4, cb)),
    'offset, length, position': await once(side, (api, fd, cb) => api.write(fd, text(), 3, 4, 200, cb)),
    nulls: await once(side, (api, fd, cb) => api.write(fd, text(), null, null, null, cb)),
    undefineds: await once(side, (api, fd, cb) => api.write(fd, text(), undefined, undefined, undefined, cb)),
  }));

  same('argument forms of strings', async (side) => ({
    'string only': await once(side, (api, fd, cb) => api.write(fd, 'grüße', cb)),
    position: await once(side, (api, fd, cb) => api.write(fd, 'grüße', 20, cb)),
    'position null': await once(side, (api, fd, cb) => api.write(fd, 'grüße', null, cb)),
    'position and encoding': await once(side, (api, fd, cb) => api.write(fd, 'grüße', 20, 'latin1', cb)),
    hex: await once(side, (api, fd, cb) => api.write(fd, 'abcdef', null, 'hex', cb)),
    base64: await once(side, (api, fd, cb) => api.write(fd, 'aGVsbG8=', null, 'base64', cb)),
    ucs2: await once(side, (api, fd, cb) => api.write(fd, 'grüße', null, 'ucs2', cb)),
    'unknown encoding': await once(side, (api, fd, cb) => api.write(fd, 'text', null, 'no-such', cb)),
    'odd hex': await once(side, (api, fd, cb) => api.write(fd, 'abc', null, 'hex', cb)),
    'empty string': await once(side, (api, fd, cb) => api.write(fd, '', cb)),
    'string with NUL': await once(side, (api, fd, cb) => api.write(fd, 'a\0b', cb)),
    'lone surrogate': await once(side, (api, fd, cb) => api.write(fd, 'a\ud800b', cb)),
    'long string': await once(side, (api, fd, cb) => api.write(fd, 'é'.repeat(50_000), cb)),
  }));

  same('positions', (side) =>
    table(side, WRITE_POSITIONS, (api, fd, position, cb) => api.write(fd, text(), 0, 10, position, cb)),
  );
  same('positions of strings', (side) =>
    table(side, WRITE_POSITIONS, (api, fd, position, cb) => api.write(fd, 'abcdef', position, 'utf8', cb)),
  );
  same('a position beyond 4 GiB', async (side) => ({
    write: await side.callback((cb) => {
      const fd = fs.openSync(side.file('huge'), 'w');
      side.fs.write(fd, text(), 0, 10, 2 ** 32 + 11, (...args) => {
        fs.closeSync(fd);
        cb(...args);
      });
    }),
  }));
  same('offsets', (side) =>
    table(side, [...ODD_VALUES, ['10', 10], ['11', 11]], (api, fd, offset, cb) =>
      api.write(fd, text(), offset, 4, null, cb),
    ),
  );
  same('lengths', (side) =>
    table(side, [...ODD_VALUES, ['10', 10], ['11', 11]], (api, fd, length, cb) =>
      api.write(fd, text(), 0, length, null, cb),
    ),
  );
  same('views', (side) => table(side, VIEWS, (api, fd, make, cb) => api.write(fd, make(), cb)));
  same('views at an offset', (side) =>
    table(side, VIEWS, (api, fd, make, cb) => api.write(fd, make(), 3, 6, null, cb)),
  );
  same('not views', (side) => table(side, NOT_VIEWS, (api, fd, make, cb) => api.write(fd, make(), 0, 4, null, cb)));
  same('descriptors that are none', (side) =>
    table(
      side,
      ODD_VALUES.filter(([, value]) => value !== 0),
      (api, _fd, odd, cb) => api.write(odd, text(), 0, 8, null, cb),
    ),
  );
  same('callbacks that are none', (side) =>
    table(side, ODD_VALUES, (api, fd, odd, cb) => {
      try {
        api.write(fd, text(), 0, 8, 0, odd);
      } catch (error) {
        return cb(error);
      }
      return cb(new Error('accepted'));
    }),
  );

  same('appending descriptors', async (side) => ({
    'at the position': await once(side, (api, fd, cb) => api.write(fd, text(), cb), 'a+'),
    // Linux ignores the position of a write to a descriptor in append mode.
    'at position 0': await once(side, (api, fd, cb) => api.write(fd, text(), 0, 10, 0, cb), 'a+'),
    'string at position 0': await once(side, (api, fd, cb) => api.write(fd, 'abc', 0, cb), 'a+'),
  }));

  same('wrong kinds of descriptors', async (side) => {
    const readOnly = fs.openSync(side.put('r', 'abc'), 'r');
    const directory = fs.openSync(side.dir, 'r');
    const write = (fd, position) => side.callback((cb) => side.fs.write(fd, text(), 0, 10, position, cb));
    try {
      return {
        'read-only': await write(readOnly, null),
        'read-only at a position': await write(readOnly, 0),
        'read-only, string': await side.callback((cb) => side.fs.write(readOnly, 'abc', cb)),
        directory: await write(directory, null),
        'never opened': await write(54_321, null),
        'never opened, string': await side.callback((cb) => side.fs.write(54_321, 'abc', cb)),
      };
    } finally {
      fs.closeSync(readOnly);
      fs.closeSync(directory);
    }
  });

  same('devices', async (side) => {
    const seen = {};
    for (const file of ['/dev/null', '/dev/zero', '/dev/full']) {
      const fd = fs.openSync(file, 'w');
      for (const position of [null, 0]) {
        seen[`${file} at ${position}`] = await side.callback((cb) => side.fs.write(fd, text(), 0, 10, position, cb));
      }
      fs.closeSync(fd);
    }
    return seen;
  });

  same('the caller may not lose what it wrote when it reuses the variable', async (side) => {
    const fd = fs.openSync(side.file('out'), 'w');
    const writes = [];
    for (let i = 0; i < 40; i++) {
      writes.push(side.callback((cb) => side.fs.write(fd, Buffer.alloc(100, i), 0, 100, i * 100, cb)));
    }
    const results = await Promise.all(writes);
    fs.closeSync(fd);
    return { results };
  });

  same('promisify(fs.write)', async (side) => {
    const fd = openedAtTen(side, 'r+');
    try {
      const write = promisify(side.fs.write);
      return {
        buffer: await side.attempt(() => write(fd, text(), 0, 5, 3)),
        string: await side.attempt(() => write(fd, 'text', 3)),
        failure: await side.attempt(() => write(54_321, text(), 0, 5, 3)),
        'own promisify symbols': Object.getOwnPropertySymbols(side.fs.write).map(String),
      };
    } finally {
      fs.closeSync(fd);
    }
  });
});
