// fs.read with a callback, in every argument form.
import fs from 'node:fs';
import { promisify } from 'node:util';
import { descriptorState, same } from '../helpers/compare.mjs';
import { CONTENT, NOT_VIEWS, ODD_VALUES, openedAtTen, POSITIONS, VIEWS } from './support/values.mjs';

/** One call on a fresh descriptor: result, and where the file position is afterwards. */
async function once(side, call, flags) {
  const fd = openedAtTen(side, flags);
  try {
    const result = await side.callback((callback) => call(side.fs, fd, callback));
    return { result, state: descriptorState(fd) };
  } finally {
    fs.closeSync(fd);
  }
}

async function table(side, rows, call) {
  const seen = {};
  for (const [label, value] of rows) seen[label] = await once(side, (api, fd, cb) => call(api, fd, value, cb));
  return seen;
}

describe('parity: fs.read', () => {
  same('argument forms', async (side) => ({
    'callback only': await once(side, (api, fd, cb) => api.read(fd, cb)),
    'empty options': await once(side, (api, fd, cb) => api.read(fd, {}, cb)),
    'null options': await once(side, (api, fd, cb) => api.read(fd, null, cb)),
    'options with a buffer': await once(side, (api, fd, cb) => api.read(fd, { buffer: Buffer.alloc(20) }, cb)),
    'options, all of them': await once(side, (api, fd, cb) =>
      api.read(fd, { buffer: Buffer.alloc(20), offset: 3, length: 9, position: 50 }, cb),
    ),
    'options, offset only': await once(side, (api, fd, cb) =>
      api.read(fd, { buffer: Buffer.alloc(20), offset: 4 }, cb),
    ),
    'options, length null': await once(side, (api, fd, cb) =>
      api.read(fd, { buffer: Buffer.alloc(20), length: null }, cb),
    ),
    'buffer only': await once(side, (api, fd, cb) => api.read(fd, Buffer.alloc(20), cb)),
    'buffer and options': await once(side, (api, fd, cb) => api.read(fd, Buffer.alloc(20), { position: 7 }, cb)),
    'buffer and null': await once(side, (api, fd, cb) => api.read(fd, Buffer.alloc(20), null, cb)),
    'four arguments': await once(side, (api, fd, cb) => api.read(fd, Buffer.alloc(20), 2, 6, cb)),
    'five arguments': await once(side, (api, fd, cb) => api.read(fd, Buffer.alloc(20), 2, 6, 30, cb)),
    'extra arguments': await once(side, (api, fd, cb) => api.read(fd, Buffer.alloc(20), 2, 6, 30, cb, 'extra')),
    'inherited options': await once(side, (api, fd, cb) =>
      api.read(fd, Object.create({ buffer: Buffer.alloc(20), position: 3 }), cb),
    ),
  }));

  same('positions', (side) =>
    table(side, POSITIONS, (api, fd, position, cb) => api.read(fd, Buffer.alloc(20), 0, 20, position, cb)),
  );
  same('offsets', (side) =>
    table(side, [...ODD_VALUES, ['20', 20], ['21', 21]], (api, fd, offset, cb) =>
      api.read(fd, Buffer.alloc(20), offset, 4, null, cb),
    ),
  );
  same('lengths', (side) =>
    table(side, [...ODD_VALUES, ['20', 20], ['21', 21]], (api, fd, length, cb) =>
      api.read(fd, Buffer.alloc(20), 0, length, null, cb),
    ),
  );
  same('views', (side) =>
    table(side, VIEWS, (api, fd, make, cb) => {
      const view = make();
      return api.read(fd, view, 0, view.byteLength, 5, cb);
    }),
  );
  same('views at an offset', (side) => table(side, VIEWS, (api, fd, make, cb) => api.read(fd, make(), 3, 6, null, cb)));
  same('views without a length', (side) => table(side, VIEWS, (api, fd, make, cb) => api.read(fd, make(), cb)));
  same('not views', (side) => table(side, NOT_VIEWS, (api, fd, make, cb) => api.read(fd, make(), 0, 4, null, cb)));
  same('descriptors that are none', (side) =>
    table(
      side,
      ODD_VALUES.filter(([, value]) => value !== 0), // 0 is the test runner's standard input
      (api, _fd, odd, cb) => api.read(odd, Buffer.alloc(8), 0, 8, null, cb),
    ),
  );
  same('callbacks that are none', (side) =>
    table(side, [...ODD_VALUES, ['bad', 'x']], (api, fd, odd, cb) => {
      try {
        api.read(fd, Buffer.alloc(8), 0, 8, 0, odd);
      } catch (error) {
        return cb(error);
      }
      return cb(new Error('accepted'));
    }),
  );

  same('end of file, empty file, length 0', async (side) => {
    const empty = fs.openSync(side.put('empty'), 'r');
    try {
      return {
        'short at the end': await once(side, (api, fd, cb) => api.read(fd, Buffer.alloc(50), 0, 50, 290, cb)),
        'exactly at the end': await once(side, (api, fd, cb) => api.read(fd, Buffer.alloc(50), 0, 50, 300, cb)),
        'empty file': await side.callback((cb) => side.fs.read(empty, Buffer.alloc(8), 0, 8, null, cb)),
        'length 0': await once(side, (api, fd, cb) => api.read(fd, Buffer.alloc(8), 0, 0, null, cb)),
        'length 0 at the end of the buffer': await once(side, (api, fd, cb) =>
          api.read(fd, Buffer.alloc(8), 8, 0, null, cb),
        ),
        'length 0 on a closed descriptor': await side.callback((cb) =>
          side.fs.read(9999, Buffer.alloc(8), 0, 0, null, cb),
        ),
      };
    } finally {
      fs.closeSync(empty);
    }
  });

  same('wrong kinds of descriptors', async (side) => {
    const directory = fs.openSync(side.dir, 'r');
    const writeOnly = fs.openSync(side.put('w', 'abc'), 'a');
    const read = (fd, position) => side.callback((cb) => side.fs.read(fd, Buffer.alloc(8), 0, 8, position, cb));
    try {
      return {
        directory: await read(directory, null),
        'directory at a position': await read(directory, 0),
        'write-only': await read(writeOnly, null),
        'write-only at a position': await read(writeOnly, 0),
        'never opened': await read(54_321, null),
        'never opened, at a position': await read(54_321, 4),
      };
    } finally {
      fs.closeSync(directory);
      fs.closeSync(writeOnly);
    }
  });

  same('devices and procfs', async (side) => {
    const seen = {};
    for (const file of ['/dev/null', '/dev/zero', '/dev/full', '/proc/self/mem', '/proc/version', '/proc/cpuinfo']) {
      const fd = fs.openSync(file, 'r');
      for (const position of [null, 0, 4]) {
        seen[`${file} at ${position}`] = await side.callback((cb) =>
          side.fs.read(fd, Buffer.alloc(12), 0, 12, position, cb),
        );
      }
      fs.closeSync(fd);
    }
    return seen;
  });

  same('consecutive reads at the file position', async (side) => {
    const fd = openedAtTen(side);
    const order = [];
    try {
      // All are queued in one turn: each gets its own part of the file, and they finish in any order.
      await Promise.all(
        Array.from(
          { length: 12 },
          (_, index) =>
            new Promise((resolve, reject) => {
              const buffer = Buffer.alloc(16);
              side.fs.read(fd, buffer, 0, 16, null, (error, bytesRead) => {
                if (error) return reject(error);
                order.push(CONTENT.indexOf(buffer));
                return resolve({ index, bytesRead });
              });
            }),
        ),
      );
      return { parts: order.sort((a, b) => a - b), state: descriptorState(fd) };
    } finally {
      fs.closeSync(fd);
    }
  });

  same('promisify(fs.read)', async (side) => {
    const fd = openedAtTen(side);
    try {
      const read = promisify(side.fs.read);
      return {
        value: await side.attempt(() => read(fd, Buffer.alloc(12), 0, 12, 3)),
        failure: await side.attempt(() => read(54_321, Buffer.alloc(12), 0, 12, 3)),
        invalid: await side.attempt(() => read('no', Buffer.alloc(12), 0, 12, 3)),
        'own promisify symbols': Object.getOwnPropertySymbols(side.fs.read).map(String),
      };
    } finally {
      fs.closeSync(fd);
    }
  });
});
