// FileHandle.read and FileHandle.write in every argument form.
import fs from 'node:fs';
import { descriptorState, same } from '../helpers/compare.mjs';
import { CONTENT, closing, handleAtTen, NOT_VIEWS, ODD_VALUES, POSITIONS, VIEWS } from './support/values.mjs';

async function once(side, call, flags = 'r+') {
  return closing(await handleAtTen(side, flags), async (handle) => {
    const result = await side.attempt(() => call(handle));
    return { result, state: descriptorState(handle.fd), file: flags === 'r' ? undefined : side.bytes('data') };
  });
}

async function table(side, rows, call, flags) {
  const seen = {};
  for (const [label, value] of rows) seen[label] = await once(side, (handle) => call(handle, value), flags);
  return seen;
}

async function forms(side, calls, flags) {
  return table(side, Object.entries(calls), (handle, call) => call(handle), flags);
}

const text = () => Buffer.from('0123456789');
const twenty = () => Buffer.alloc(20);
// FileHandle.read hands these lengths unchecked to C++, where an assertion ends the process (Node 20.20).
const ABORTING_LENGTHS = ['true', 'fraction', 'NaN', 'string', 'digits', 'object', 'array'];
const LIMITS = [...ODD_VALUES, ['20', 20], ['21', 21]];
const WRITE_POSITIONS = POSITIONS.filter(([label]) => !/2\^/.test(label));

describe('parity: FileHandle.read', () => {
  same('argument forms', (side) =>
    forms(
      side,
      {
        nothing: (handle) => handle.read(),
        undefined: (handle) => handle.read(undefined),
        null: (handle) => handle.read(null),
        'empty options': (handle) => handle.read({}),
        'options with a buffer': (handle) => handle.read({ buffer: twenty() }),
        'options, buffer null': (handle) => handle.read({ buffer: null }),
        'options, all': (handle) => handle.read({ buffer: twenty(), offset: 3, length: 9, position: 50 }),
        'options, length only': (handle) => handle.read({ length: 100 }),
        'options, position only': (handle) => handle.read({ position: 30 }),
        buffer: (handle) => handle.read(twenty()),
        'buffer and options': (handle) => handle.read(twenty(), { offset: 5, position: 7 }),
        'buffer and null': (handle) => handle.read(twenty(), null),
        'buffer and empty options': (handle) => handle.read(twenty(), {}),
        'buffer, offset': (handle) => handle.read(twenty(), 6),
        'buffer, offset, length': (handle) => handle.read(twenty(), 6, 7),
        'four arguments': (handle) => handle.read(twenty(), 6, 7, 30),
        nulls: (handle) => handle.read(twenty(), null, null, null),
        'array options': (handle) => handle.read([]),
        'inherited options': (handle) => handle.read(Object.create({ buffer: twenty(), position: 3 })),
      },
      'r',
    ),
  );
  same('positions', (side) =>
    table(side, POSITIONS, (handle, position) => handle.read(twenty(), 0, 20, position), 'r'),
  );
  same('positions in options', (side) =>
    table(side, POSITIONS, (handle, position) => handle.read({ buffer: twenty(), position }), 'r'),
  );
  same('offsets', (side) => table(side, LIMITS, (handle, offset) => handle.read(twenty(), offset, 4, null), 'r'));
  same('lengths', (side) =>
    table(
      side,
      LIMITS.filter(([label]) => !ABORTING_LENGTHS.includes(label)),
      (handle, length) => handle.read(twenty(), 0, length, null),
      'r',
    ),
  );
  same('views', (side) =>
    table(
      side,
      VIEWS,
      (handle, make) => {
        const view = make();
        return handle.read(view, 0, view.byteLength, 5);
      },
      'r',
    ),
  );
  same('views alone', (side) => table(side, VIEWS, (handle, make) => handle.read(make()), 'r'));
  same('views at an offset', (side) => table(side, VIEWS, (handle, make) => handle.read(make(), 3, 6), 'r'));
  same('not views', (side) => table(side, NOT_VIEWS, (handle, make) => handle.read(make(), 0, 4, null), 'r'));
  same('the buffer in the result is the one that was given', async (side) => {
    return closing(await handleAtTen(side, 'r'), async (handle) => {
      const given = twenty();
      const { buffer } = await handle.read(given, 0, 20, 0);
      return { identical: buffer === given };
    });
  });
  same('ends of files', (side) =>
    forms(
      side,
      {
        short: (handle) => handle.read(Buffer.alloc(50), 0, 50, 290),
        end: (handle) => handle.read(Buffer.alloc(50), 0, 50, 300),
        beyond: (handle) => handle.read(Buffer.alloc(50), 0, 50, 4000),
        'length 0': (handle) => handle.read(twenty(), 0, 0, 4),
      },
      'r',
    ),
  );
  same('a write-only handle', async (side) => {
    const handle = await side.fsp.open(side.file('out'), 'w');
    const seen = {
      read: await side.attempt(() => handle.read(twenty())),
      'read at 0': await side.attempt(() => handle.read(twenty(), 0, 20, 0)),
      readv: await side.attempt(() => handle.readv([twenty()])),
      readFile: await side.attempt(() => handle.readFile()),
    };
    await handle.close();
    return seen;
  });
  same('reads of one turn at the file position cover the file once each', async (side) =>
    closing(await handleAtTen(side, 'r'), async (handle) => {
      const results = await Promise.all(Array.from({ length: 15 }, () => handle.read(Buffer.alloc(20), 0, 20, null)));
      const starts = results.map(({ buffer, bytesRead }) => [
        CONTENT.indexOf(buffer.subarray(0, Math.min(bytesRead, 20) || 20)),
        bytesRead,
      ]);
      return { starts: starts.sort((a, b) => a[0] - b[0]), state: descriptorState(handle.fd) };
    }),
  );
});

describe('parity: FileHandle.write', () => {
  same('argument forms', (side) =>
    forms(side, {
      nothing: (handle) => handle.write(),
      undefined: (handle) => handle.write(undefined),
      buffer: (handle) => handle.write(text()),
      'buffer and null': (handle) => handle.write(text(), null),
      'buffer and options': (handle) => handle.write(text(), { offset: 2, length: 3, position: 80 }),
      'buffer and empty options': (handle) => handle.write(text(), {}),
      'buffer, offset': (handle) => handle.write(text(), 4),
      'buffer, offset, length': (handle) => handle.write(text(), 4, 3),
      'four arguments': (handle) => handle.write(text(), 4, 3, 100),
      nulls: (handle) => handle.write(text(), null, null, null),
      string: (handle) => handle.write('grüße'),
      'string, position': (handle) => handle.write('grüße', 33),
      'string, null': (handle) => handle.write('grüße', null),
      'string, position, encoding': (handle) => handle.write('grüße', 33, 'latin1'),
      'string, hex': (handle) => handle.write('abcdef', null, 'hex'),
      'string, odd hex': (handle) => handle.write('abc', null, 'hex'),
      'string, unknown encoding': (handle) => handle.write('abc', null, 'no-such'),
      'empty string': (handle) => handle.write(''),
      'empty string at a position': (handle) => handle.write('', 4),
      'long string': (handle) => handle.write('é'.repeat(60_000)),
    }),
  );
  same('positions', (side) =>
    table(side, WRITE_POSITIONS, (handle, position) => handle.write(text(), 0, 10, position)),
  );
  same('positions of strings', (side) =>
    table(side, WRITE_POSITIONS, (handle, position) => handle.write('abcdef', position)),
  );
  same('offsets', (side) => table(side, LIMITS, (handle, offset) => handle.write(twenty(), offset, 4, null)));
  same('lengths', (side) => table(side, LIMITS, (handle, length) => handle.write(twenty(), 0, length, null)));
  same('views', (side) => table(side, VIEWS, (handle, make) => handle.write(make())));
  same('views at an offset', (side) => table(side, VIEWS, (handle, make) => handle.write(make(), 3, 6)));
  same('not views', (side) => table(side, NOT_VIEWS, (handle, make) => handle.write(make(), 0, 4, null)));
  same('append mode ignores positions', (side) =>
    forms(
      side,
      {
        position: (handle) => handle.write(text(), 0, 10, 0),
        none: (handle) => handle.write(text()),
        vectored: (handle) => handle.writev([text(), text()], 0),
      },
      'a+',
    ),
  );
  same('a read-only handle', (side) =>
    forms(
      side,
      {
        write: (handle) => handle.write(text()),
        'write at 0': (handle) => handle.write(text(), 0, 10, 0),
        string: (handle) => handle.write('text'),
        writev: (handle) => handle.writev([text()]),
        writeFile: (handle) => handle.writeFile('text'),
        appendFile: (handle) => handle.appendFile('text'),
        truncate: (handle) => handle.truncate(3),
      },
      'r',
    ),
  );
  same('appends of one turn keep their order', async (side) => {
    const handle = await side.fsp.open(side.file('log'), 'a');
    const lines = Array.from({ length: 30 }, (_, index) => `line ${index}\n`);
    await Promise.all(lines.map((line) => handle.write(line)));
    await handle.close();
    // Only the set is promised by node: its pool may reorder. Each line must be there once and whole.
    const written = fs.readFileSync(side.file('log'), 'utf8').split('\n').sort();
    fs.rmSync(side.file('log'));
    return { written };
  });
  same('devices', async (side) => {
    const seen = {};
    for (const file of ['/dev/null', '/dev/zero', '/dev/full']) {
      const handle = await side.fsp.open(file, 'r+');
      seen[`${file} read`] = await side.attempt(() => handle.read(Buffer.alloc(8)));
      seen[`${file} read at 4`] = await side.attempt(() => handle.read(Buffer.alloc(8), 0, 8, 4));
      seen[`${file} write`] = await side.attempt(() => handle.write('12345678'));
      seen[`${file} writev`] = await side.attempt(() => handle.writev([text(), text()]));
      seen[`${file} write at 4`] = await side.attempt(() => handle.write(text(), 0, 10, 4));
      seen[`${file} writeFile`] = await side.attempt(() => handle.writeFile('whole'));
      await handle.close();
    }
    return seen;
  });
});
