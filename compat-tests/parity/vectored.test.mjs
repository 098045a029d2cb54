// fs.readv and fs.writev with a callback, and the same methods of FileHandle.
import fs from 'node:fs';
import { promisify } from 'node:util';
import { descriptorState, same } from '../helpers/compare.mjs';
import {
  CONTENT,
  closing,
  handleAtTen,
  NOT_VIEWS,
  ODD_VALUES,
  openedAtTen,
  POSITIONS,
  VIEWS,
} from './support/values.mjs';

/** One call through the callback API and one through FileHandle, each on a fresh descriptor. */
async function both(side, name, args, flags) {
  const fd = openedAtTen(side, flags);
  let callbackForm;
  try {
    const views = args();
    const result = await side.callback((cb) => side.fs[name](fd, ...views, cb));
    callbackForm = { result, views: side.describe(views), state: descriptorState(fd), file: side.bytes('data') };
  } finally {
    fs.closeSync(fd);
  }
  const handleForm = await closing(await handleAtTen(side, flags), async (handle) => {
    const views = args();
    const result = await side.attempt(() => handle[name](...views));
    return { result, views: side.describe(views), state: descriptorState(handle.fd), file: side.bytes('data') };
  });
  return { callbackForm, handleForm };
}

async function table(side, name, rows, args, flags) {
  const seen = {};
  for (const [label, value] of rows) seen[label] = await both(side, name, () => args(value), flags);
  return seen;
}

const filled = (sizes, fill) => sizes.map((size, index) => Buffer.alloc(size, fill ?? 97 + index));

const LISTS = [
  ['one', () => filled([10])],
  ['three', () => filled([5, 7, 11])],
  ['with empty ones', () => filled([0, 4, 0, 6, 0])],
  ['only empty ones', () => filled([0, 0])],
  ['no buffers', () => []],
  ['past the end', () => filled([200, 200, 200])],
  ['every kind', () => VIEWS.map(([, make]) => make())],
  [
    'the same buffer twice',
    () => {
      const buffer = Buffer.alloc(6, 66);
      return [buffer, buffer];
    },
  ],
  // IOV_MAX is 1,024: libuv and we have to cut the list.
  ['1,024 buffers', () => filled(Array(1024).fill(1), 67)],
  ['1,025 buffers', () => filled(Array(1025).fill(1), 68)],
  [
    'sparse array',
    () => {
      const list = filled([3, 3]);
      list[4] = Buffer.alloc(2);
      return list;
    },
  ],
  ['one of them is not a view', () => [Buffer.alloc(3), 'text']],
  ['one of them is null', () => [Buffer.alloc(3), null]],
];

for (const [name, flags, positions] of [
  ['readv', 'r', POSITIONS],
  ['writev', 'r+', POSITIONS.filter(([label]) => !/2\^/.test(label))],
]) {
  describe(`parity: ${name}`, () => {
    same('lists of buffers', (side) => table(side, name, LISTS, (make) => [make()], flags));
    same('lists of buffers at a position', (side) => table(side, name, LISTS, (make) => [make(), 20], flags));
    same('positions', (side) => table(side, name, positions, (position) => [filled([5, 7]), position], flags));
    same('not lists', (side) =>
      table(
        side,
        name,
        [...NOT_VIEWS, ['string', () => 'text'], ['one Buffer', () => Buffer.alloc(3)]],
        (make) => [make()],
        flags,
      ),
    );
    same('wrong descriptors', async (side) => {
      const wrong = fs.openSync(side.put('wrong', 'abc'), name === 'readv' ? 'a' : 'r');
      const directory = fs.openSync(side.dir, 'r');
      const seen = {};
      const values = [...ODD_VALUES.filter(([, value]) => value !== 0), ['never opened', 54_321]];
      for (const [label, fd] of [...values, ['wrong mode', wrong], ['directory', directory]]) {
        seen[label] = await side.callback((cb) => side.fs[name](fd, filled([3, 4]), cb));
        seen[`${label}, positional`] = await side.callback((cb) => side.fs[name](fd, filled([3, 4]), 2, cb));
      }
      fs.closeSync(wrong);
      fs.closeSync(directory);
      return seen;
    });
    same('callbacks that are none', async (side) => {
      const fd = openedAtTen(side, flags);
      const seen = {};
      for (const [label, odd] of ODD_VALUES) {
        // Before the callback is checked nothing may have been started: the file must not change.
        seen[label] = await side.attempt(() => side.fs[name](fd, filled([4]), 0, odd));
      }
      fs.closeSync(fd);
      return seen;
    });
    same('a changed list after the call', async (side) => {
      const fd = openedAtTen(side, flags);
      const list = filled([5, 6]);
      const result = await side.callback((cb) => {
        const returned = side.fs[name](fd, list, 30, cb);
        list.length = 0;
        return returned;
      });
      fs.closeSync(fd);
      return { result };
    });
    same('promisify', async (side) => {
      const fd = openedAtTen(side, flags);
      const call = promisify(side.fs[name]);
      const seen = {
        value: await side.attempt(() => call(fd, filled([4, 5]), 3)),
        failure: await side.attempt(() => call(54_321, filled([4, 5]), 3)),
        'own promisify symbols': Object.getOwnPropertySymbols(side.fs[name]).map(String),
      };
      fs.closeSync(fd);
      return seen;
    });
  });
}

describe('parity: vectored content', () => {
  same('readv fills the buffers in order', async (side) => {
    const fd = openedAtTen(side);
    const list = filled([13, 1, 100, 64], 0);
    const result = await side.callback((cb) => side.fs.readv(fd, list, cb));
    fs.closeSync(fd);
    return { result, right: Buffer.concat(list).equals(CONTENT.subarray(10, 188)) };
  });
  same('writev of 40 MB in uneven pieces', async (side) => {
    const pieces = Array.from({ length: 300 }, (_, index) => Buffer.alloc(133_337 + index, index));
    const result = await side.attempt(async () => {
      const handle = await side.fsp.open(side.file('large'), 'w');
      return closing(handle, async () => (await handle.writev(pieces)).bytesWritten);
    });
    return { result };
  });
  // IOV_MAX is 1,024: libuv and we have to write such a list in parts, and both stop at a part that is empty.
  const long = {
    uneven: () => Array.from({ length: 3001 }, (_, index) => Buffer.alloc(index % 11, index)),
    'empty at the start': () => [...filled(Array(1025).fill(0)), Buffer.from('never')],
    'empty in the middle': () => [Buffer.from('first'), ...filled(Array(2000).fill(0)), Buffer.from('last')],
  };
  for (const [label, list] of Object.entries(long)) {
    same(`writev of more than 1,024 buffers: ${label}`, async (side) => {
      const seen = {};
      for (const flags of ['r+', 'a+']) {
        seen[flags] = await both(side, 'writev', () => [list()], flags);
        seen[`${flags}, positional`] = await both(side, 'writev', () => [list(), 7], flags);
      }
      return seen;
    });
  }
  same('a write stream that is uncorked with 5,000 chunks', async (side) => {
    const stream = side.fs.createWriteStream(side.file('corked'));
    stream.cork();
    for (let index = 0; index < 5000; index++) stream.write(Buffer.alloc(index % 300, index));
    stream.uncork();
    await promisify(stream.end).call(stream);
    return { written: stream.bytesWritten };
  });
});
