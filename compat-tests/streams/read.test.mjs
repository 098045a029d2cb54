// createReadStream and ReadStream: options, events and their order, errors.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { pathToFileURL } from 'node:url';
import { same } from '../helpers/compare.mjs';
import { patternBytes, patternText } from '../helpers/tempdir.mjs';
import { ODD_VALUES } from '../parity/support/values.mjs';
import { closed, drain, drainOrThrow, facts, READ_EVENTS, record, settled } from './support/events.mjs';

const BIG = patternBytes(400_003, 9);

async function options(side, list) {
  const file = side.put('file', BIG);
  const seen = {};
  for (const [label, value] of Object.entries(list))
    seen[label] = await drainOrThrow(side, () => side.fs.createReadStream(file, value));
  return seen;
}

describe('streams: createReadStream', () => {
  same('sizes around every chunk size', async (side) => {
    const seen = {};
    for (const size of [0, 1, 4095, 4096, 65_535, 65_536, 65_537, 131_072, 200_000, 1_048_576, 3_000_001]) {
      seen[size] = await drain(side, () => side.fs.createReadStream(side.put('file', patternBytes(size, size + 1))));
    }
    return seen;
  });

  same('start and end', (side) =>
    options(
      side,
      Object.fromEntries(
        [
          { start: 0 },
          { start: 1 },
          { start: 65_536 },
          { start: 65_537 },
          { start: 400_002 },
          { start: 400_003 },
          { start: 900_000 },
          { end: 0 },
          { end: 10 },
          { end: 65_535 },
          { end: 65_536 },
          { end: 400_002 },
          { end: 400_003 },
          { end: 2 ** 40 },
          { end: Infinity },
          { start: 5, end: 5 },
          { start: 5, end: 4 },
          { start: 5, end: 6 },
          { start: 100, end: 200_000 },
          { start: 4096, end: 8191 },
          { start: undefined, end: 20 },
          { start: null, end: 20 },
          { start: 3, end: undefined },
          { start: 3, end: null },
          { start: '4', end: 9 },
        ].map((value) => [Object.entries(value).join(' '), value]),
      ),
    ),
  );

  same('odd start and end', (side) => {
    const list = {};
    for (const [label, value] of ODD_VALUES) {
      list[`start ${label}`] = { start: value };
      list[`end ${label}`] = { end: value };
    }
    return options(side, list);
  });

  same('highWaterMark', (side) =>
    options(
      side,
      Object.fromEntries(
        [1000, 4096, 65_536, 100_000, 1_048_576, 333_333, undefined].map((highWaterMark) => [
          `${highWaterMark}`,
          { highWaterMark },
        ]),
      ),
    ),
  );
  same('a highWaterMark of 1', (side) =>
    options(side, { one: { highWaterMark: 1, end: 300 }, '3 with start': { highWaterMark: 3, start: 399_900 } }),
  );
  same('odd highWaterMarks', (side) =>
    options(
      side,
      Object.fromEntries(
        ODD_VALUES.filter(([label]) => !/2\^|zero|infinity|true|fraction/.test(label)).map(([label, value]) => [
          label,
          { highWaterMark: value, end: 100 },
        ]),
      ),
    ),
  );

  same('encodings, with characters cut by chunks', async (side) => {
    const file = side.put('text', 'grüße \u{1f600} '.repeat(20_000));
    const seen = {};
    for (const encoding of ['utf8', 'latin1', 'hex', 'base64', 'ucs2', 'no-such', '', null]) {
      seen[`option ${encoding}`] = await drainOrThrow(side, () =>
        side.fs.createReadStream(file, { encoding, highWaterMark: 1001 }),
      );
      seen[`string ${encoding}`] = await drainOrThrow(side, () => side.fs.createReadStream(file, encoding));
    }
    seen.setEncoding = await drain(side, () => side.fs.createReadStream(file).setEncoding('utf8'));
    return seen;
  });

  same('flags, modes and forms of paths', async (side) => {
    const file = side.put('späße', BIG.subarray(0, 100));
    const seen = {};
    for (const flags of ['r', 'r+', 'a+', 'w+', 'rs', 'w', 'bad', 0, null, fs.constants.O_NOFOLLOW]) {
      fs.writeFileSync(file, BIG.subarray(0, 100));
      seen[`flags ${flags}`] = await drainOrThrow(side, () => side.fs.createReadStream(file, { flags }));
    }
    fs.writeFileSync(file, BIG.subarray(0, 100));
    seen.url = await drain(side, () => side.fs.createReadStream(pathToFileURL(file)));
    seen.buffer = await drain(side, () => side.fs.createReadStream(Buffer.from(file)));
    for (const [label, value] of ODD_VALUES)
      seen[`path ${label}`] = await drainOrThrow(side, () => side.fs.createReadStream(value));
    for (const [label, value] of ODD_VALUES)
      seen[`options ${label}`] = await drainOrThrow(side, () => side.fs.createReadStream(file, value));
    return seen;
  });

  same('errors: missing, directory, no rights to a name, loop', async (side) => {
    fs.symlinkSync('loop', side.file('loop'));
    const seen = {};
    for (const file of [
      side.file('missing'),
      side.dir,
      side.file('loop'),
      `${side.put('file', 'x')}/below`,
      `/${'y'.repeat(300)}`,
    ]) {
      for (const autoDestroy of [{}, { autoClose: false }, { emitClose: false }]) {
        const stream = side.fs.createReadStream(file, autoDestroy);
        const log = record(side, stream, READ_EVENTS);
        await new Promise((resolve) => stream.on('error', resolve));
        await settled(stream);
        seen[`${file} ${JSON.stringify(autoDestroy)}`] = { log, facts: facts(side, stream) };
        const fd = stream.fd;
        if (!stream.destroyed) stream.destroy();
        if (typeof fd === 'number') await closed(stream);
      }
    }
    return seen;
  });

  same('autoClose and emitClose', async (side) => {
    const file = side.put('file', BIG);
    const seen = {};
    for (const given of [
      { autoClose: false },
      { emitClose: false },
      { autoClose: false, emitClose: false },
      { autoClose: true, emitClose: true },
    ]) {
      const stream = side.fs.createReadStream(file, given);
      const log = record(side, stream, READ_EVENTS);
      await new Promise((resolve) => stream.on('end', resolve));
      await settled(stream);
      seen[JSON.stringify(given)] = { log, facts: facts(side, stream) };
      if (typeof stream.fd === 'number') await new Promise((resolve) => stream.close(resolve));
      seen[`${JSON.stringify(given)} closed`] = { log, facts: facts(side, stream) };
    }
    return seen;
  });

  same('fd as a number: position, start, autoClose', async (side) => {
    const file = side.put('file', BIG);
    const seen = {};
    for (const given of [
      {},
      { start: 1000 },
      { start: 10, end: 70_000 },
      { end: 99 },
      { autoClose: false },
      { highWaterMark: 5000 },
    ]) {
      const fd = fs.openSync(file, 'r');
      fs.readSync(fd, Buffer.alloc(50), 0, 50, null);
      const stream = side.fs.createReadStream('ignored', { ...given, fd });
      const log = record(side, stream, READ_EVENTS);
      const parts = [];
      stream.on('data', (chunk) => parts.push(chunk));
      await new Promise((resolve) => stream.on('end', resolve));
      await settled(stream);
      seen[JSON.stringify(given)] = { log, content: Buffer.concat(parts), facts: facts(side, stream) };
      if (given.autoClose === false) {
        // The descriptor's own position is left where the stream ended, or untouched when it read at positions.
        seen.position = /pos:\t(\d+)/.exec(fs.readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))[1];
        await new Promise((resolve) => stream.close(resolve));
      }
    }
    seen.closed = await drainOrThrow(side, () => side.fs.createReadStream(null, { fd: 54_321 }));
    for (const [label, value] of ODD_VALUES) {
      if (value === 0 || value === undefined || value === null || value === 3n) continue;
      seen[`odd fd ${label}`] = await drainOrThrow(side, () => side.fs.createReadStream(null, { fd: value }));
    }
    return seen;
  });

  same('fd as a FileHandle', async (side) => {
    const file = side.put('file', BIG);
    const seen = {};
    for (const given of [{}, { start: 1000 }, { start: 10, end: 70_000 }, { highWaterMark: 5000 }]) {
      const handle = await side.fsp.open(file);
      await handle.read(Buffer.alloc(50), 0, 50, null);
      handle.on('close', () => {
        seen[`${JSON.stringify(given)} handle closed`] = handle.fd;
      });
      seen[JSON.stringify(given)] = await drain(side, () =>
        side.fs.createReadStream('ignored', { ...given, fd: handle }),
      );
    }
    const both = await side.fsp.open(file);
    seen['with fs option'] = await drainOrThrow(side, () => side.fs.createReadStream(null, { fd: both, fs: side.fs }));
    await both.close();
    return seen;
  });

  same('procfs, devices and FIFOs', async (side) => {
    const seen = {};
    for (const file of ['/proc/version', '/proc/self/environ', '/dev/null'])
      seen[file] = await drain(side, () => side.fs.createReadStream(file), { chunks: false });
    seen['/dev/zero'] = await drain(side, () => side.fs.createReadStream('/dev/zero', { end: 99_999 }), {
      chunks: false,
    });
    const fifo = side.file('fifo');
    execFileSync('mkfifo', [fifo]);
    const reading = drain(side, () => side.fs.createReadStream(fifo), { chunks: false });
    const writer = await fs.promises.open(fifo, 'w');
    for (let i = 0; i < 10; i++) {
      await writer.write(`part ${i} `.repeat(100));
      await new Promise((resolve) => setTimeout(resolve, 3));
    }
    await writer.close();
    const { content, events } = await reading;
    fs.rmSync(fifo);
    return { ...seen, fifo: { content, events } };
  });

  same('start beyond 2 GiB in a sparse file', async (side) => {
    const fd = fs.openSync(side.file('sparse'), 'w');
    fs.writeSync(fd, 'at the far end', 2 ** 32 + 7);
    fs.closeSync(fd);
    return {
      tail: await drain(side, () => side.fs.createReadStream(side.file('sparse'), { start: 2 ** 32 - 70_000 })),
      part: await drain(side, () =>
        side.fs.createReadStream(side.file('sparse'), { start: 2 ** 32 + 7, end: 2 ** 32 + 10 }),
      ),
    };
  });

  same('text of a large file equals the file', async (side) => {
    const file = side.put('text', patternText(2_000_000));
    let text = '';
    for await (const part of side.fs.createReadStream(file, 'utf8')) text += part;
    return { equal: text === patternText(2_000_000), length: text.length };
  });
});
