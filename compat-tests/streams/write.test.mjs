// createWriteStream and WriteStream: options, events and their order, errors, vectored writes.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { descriptorState, same } from '../helpers/compare.mjs';
import { SIDES } from '../helpers/oracle.mjs';
import { patternBytes, removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';
import { NOT_VIEWS, ODD_VALUES, VIEWS } from '../parity/support/values.mjs';
import { closed, facts, pause_ms, record, WRITE_EVENTS } from './support/events.mjs';

/** Writes `pieces` without waiting, ends, and reports events, callbacks and properties. */
async function fill(side, make, pieces, { end = [] } = {}) {
  let stream;
  try {
    stream = make();
  } catch (error) {
    return { threw: error };
  }
  const before = facts(side, stream);
  const log = record(side, stream, WRITE_EVENTS);
  const writes = [];
  for (const piece of pieces) {
    const list = Array.isArray(piece) ? piece : [piece];
    const entry = {};
    writes.push(entry);
    try {
      entry.accepted = stream.write(...list, (error) => {
        entry.called = (entry.called ?? 0) + 1;
        entry.error = side.describe(error);
        log.push(['written', writes.indexOf(entry)]);
      });
    } catch (error) {
      entry.threw = side.describe(error);
    }
  }
  stream.end(...end);
  await closed(stream);
  await pause_ms(1);
  return { before, log, writes, after: facts(side, stream) };
}

const small = () => ['one ', Buffer.from('two '), new Uint8Array([51, 32]), ['74', 'hex'], ['grüße', 'latin1']];

describe('streams: createWriteStream', () => {
  same('sizes and numbers of writes', async (side) => {
    const seen = {};
    for (const size of [0, 1, 4096, 16_383, 16_384, 16_385, 65_537, 1_000_003]) {
      for (const count of [1, 3, 40]) {
        if (size * count > 5_000_000) continue;
        seen[`${count} of ${size}`] = await fill(
          side,
          () => side.fs.createWriteStream(side.file(`out-${size}-${count}`)),
          Array.from({ length: count }, (_, i) => patternBytes(size, i + 1)),
        );
      }
    }
    seen['no write at all'] = await fill(side, () => side.fs.createWriteStream(side.file('none')), []);
    seen['end with data'] = await fill(side, () => side.fs.createWriteStream(side.file('end')), ['a'], {
      end: ['the end', 'utf8'],
    });
    seen['2,000 small ones'] = await fill(
      side,
      () => side.fs.createWriteStream(side.file('many')),
      Array.from({ length: 2000 }, (_, i) => `line ${i}\n`),
    );
    return seen;
  });

  same('flags, start and append', async (side) => {
    const seen = {};
    for (const flags of [undefined, 'w', 'a', 'r+', 'wx', 'ax', 'w+', 'a+', 'as', 'r', 'bad', 1, null]) {
      for (const start of [undefined, 0, 5, 100]) {
        const name = `${flags}-${start}`;
        side.put(name, 'old content of the file');
        seen[name] = await fill(side, () => side.fs.createWriteStream(side.file(name), { flags, start }), small());
        seen[`${name}, absent`] = await fill(
          side,
          () => side.fs.createWriteStream(side.file(`${name}-new`), { flags, start }),
          small(),
        );
      }
    }
    for (const [label, start] of ODD_VALUES) {
      if (/2\^/.test(label)) continue;
      seen[`odd start ${label}`] = await fill(
        side,
        () => side.fs.createWriteStream(side.put(`odd ${label}`, 'old content'), { start, flags: 'r+' }),
        ['x'],
      );
    }
    return seen;
  });

  same('start beyond 4 GiB', async (side) => ({
    far: await fill(side, () => side.fs.createWriteStream(side.file('far'), { start: 2 ** 32 + 5 }), small()),
    tail: (() => {
      const fd = fs.openSync(side.file('far'), 'r');
      const tail = Buffer.alloc(40);
      fs.readSync(fd, tail, 0, 40, 2 ** 32);
      fs.closeSync(fd);
      return tail;
    })(),
  }));

  same('encodings, modes, highWaterMark, options', async (side) => {
    const seen = {};
    for (const encoding of ['utf8', 'latin1', 'hex', 'ucs2', 'no-such']) {
      seen[`encoding ${encoding}`] = await fill(
        side,
        () => side.fs.createWriteStream(side.file(`e-${encoding}`), { encoding }),
        ['6162', '63'],
      );
      seen[`string ${encoding}`] = await fill(
        side,
        () => side.fs.createWriteStream(side.file(`s-${encoding}`), encoding),
        ['6162'],
      );
    }
    for (const highWaterMark of [1, 10, 65_536, 0])
      seen[`hwm ${highWaterMark}`] = await fill(
        side,
        () => side.fs.createWriteStream(side.file(`h-${highWaterMark}`), { highWaterMark }),
        small(),
      );
    for (const mode of [0o600, 0o755, '640'])
      seen[`mode ${mode}`] = await fill(
        side,
        () => side.fs.createWriteStream(side.file(`m-${mode}`), { mode }),
        small(),
      );
    for (const [label, value] of ODD_VALUES) {
      seen[`options ${label}`] = await fill(side, () => side.fs.createWriteStream(side.file('o'), value), ['x']);
      // A string is a valid path: it would leave a file in the current directory.
      if (typeof value === 'string') continue;
      seen[`path ${label}`] = await fill(side, () => side.fs.createWriteStream(value), ['x']);
    }
    for (const flush of [true, false, undefined, null, 1])
      seen[`flush ${flush}`] = await fill(
        side,
        () => side.fs.createWriteStream(side.file(`f-${flush}`), { flush }),
        small(),
      );
    for (const given of [
      { emitClose: true },
      { autoClose: true },
      { decodeStrings: false },
      { decodeStrings: true },
      { defaultEncoding: 'hex' },
    ]) {
      seen[JSON.stringify(given)] = await fill(side, () => side.fs.createWriteStream(side.file('g'), given), small());
    }
    seen.url = await fill(side, () => side.fs.createWriteStream(pathToFileURL(side.file('url'))), small());
    seen.buffer = await fill(side, () => side.fs.createWriteStream(Buffer.from(side.file('buffer'))), small());
    return seen;
  });

  same('kinds of data', async (side) => {
    const seen = {};
    for (const [label, make] of [...VIEWS, ...NOT_VIEWS, ['undefined', () => undefined]]) {
      const stream = side.fs.createWriteStream(side.file('out'), { flags: 'a' });
      const log = record(side, stream, WRITE_EVENTS);
      seen[label] = { write: await side.attempt(() => stream.write(make())), log };
      stream.end();
      await closed(stream);
    }
    return seen;
  });

  same('cork and uncork become one vectored write', async (side) => {
    const stream = side.fs.createWriteStream(side.file('out'));
    const log = record(side, stream, WRITE_EVENTS);
    stream.cork();
    for (let i = 0; i < 1500; i++) stream.write(`${i},`, () => log.push(['written', i]));
    stream.uncork();
    stream.end();
    await closed(stream);
    return { log, facts: facts(side, stream) };
  });

  same('errors', async (side) => {
    fs.mkdirSync(side.file('dir'));
    fs.symlinkSync('loop', side.file('loop'));
    const seen = {};
    for (const file of [
      side.file('absent/x'),
      side.file('dir'),
      side.file('loop'),
      `/${'y'.repeat(300)}`,
      '/dev/full',
    ]) {
      seen[file] = await fill(side, () => side.fs.createWriteStream(file), small());
      seen[`${file}, one write`] = await fill(side, () => side.fs.createWriteStream(file), ['x']);
    }
    const readOnly = fs.openSync(side.put('ro', 'read only'), 'r');
    seen['read-only fd'] = await fill(side, () => side.fs.createWriteStream(null, { fd: readOnly }), small());
    seen['fd that is not open'] = await fill(side, () => side.fs.createWriteStream(null, { fd: 54_321 }), small());
    const handle = await side.fsp.open(side.file('ro'), 'r');
    seen['read-only handle'] = await fill(side, () => side.fs.createWriteStream(null, { fd: handle }), small());
    const late = side.fs.createWriteStream(side.file('late'));
    const log = record(side, late, WRITE_EVENTS);
    late.end('x');
    late.write('after the end', (error) => log.push(['callback', side.describe(error)]));
    await closed(late);
    seen['write after end'] = log;
    return seen;
  });

  same('fd as a number and as a FileHandle', async (side) => {
    const seen = {};
    for (const given of [{}, { start: 7 }, { autoClose: false }, { start: 7, autoClose: false }]) {
      const label = JSON.stringify(given);
      const fd = fs.openSync(side.put(`fd ${label}`, 'old content of the file'), 'r+');
      fs.readSync(fd, Buffer.alloc(4));
      if (given.autoClose === false) {
        const stream = side.fs.createWriteStream('ignored', { ...given, fd });
        const log = record(side, stream, WRITE_EVENTS);
        for (const piece of ['x', 'yy', 'zzz']) stream.write(piece);
        stream.end();
        await new Promise((resolve) => stream.on('finish', () => setTimeout(resolve, 20)));
        seen[`fd ${label}`] = { log, state: descriptorState(fd), facts: facts(side, stream) };
        fs.closeSync(fd);
      } else {
        seen[`fd ${label}`] = await fill(side, () => side.fs.createWriteStream('ignored', { ...given, fd }), small());
        const handle = await side.fsp.open(side.put(`handle ${label}`, 'old content of the file'), 'r+');
        await handle.read(Buffer.alloc(4), 0, 4, null);
        seen[`handle ${label}`] = await fill(
          side,
          () => side.fs.createWriteStream('ignored', { ...given, fd: handle }),
          small(),
        );
      }
    }
    return seen;
  });

  same('a FIFO, /dev/null', async (side) => {
    const fifo = side.file('fifo');
    execFileSync('mkfifo', [fifo]);
    const reading = fs.promises.readFile(fifo);
    const seen = {
      fifo: await fill(
        side,
        () => side.fs.createWriteStream(fifo),
        Array.from({ length: 50 }, (_, i) => patternBytes(3001, i + 1)),
      ),
    };
    seen.received = await reading;
    fs.rmSync(fifo);
    seen.sink = await fill(side, () => side.fs.createWriteStream('/dev/null'), small());
    return seen;
  });

  same('data is in the file in the order in which it was written, whatever its size', async (side) => {
    const stream = side.fs.createWriteStream(side.file('out'));
    const sizes = Array.from({ length: 300 }, (_, i) => ((i * 7919) % 50_000) + 1);
    for (const [index, size] of sizes.entries()) {
      if (!stream.write(patternBytes(size, index + 1)) && index % 3 === 0)
        await new Promise((resolve) => stream.once('drain', resolve));
    }
    await new Promise((resolve) => stream.end(resolve));
    await closed(stream);
    const expected = Buffer.concat(sizes.map((size, index) => patternBytes(size, index + 1)));
    return { right: fs.readFileSync(side.file('out')).equals(expected), written: stream.bytesWritten };
  });
});

describe('streams: a write stream that fails or is killed leaves a prefix', () => {
  let directory;
  before(() => {
    directory = temporaryDirectory();
  });
  after(() => removeDirectory(directory));

  for (const side of SIDES) {
    it(`${side.name}: destroyed in the middle`, async () => {
      for (let round = 0; round < 25; round++) {
        const file = `${directory}/${side.name}-${round}`;
        const stream = side.fs.createWriteStream(file, { highWaterMark: 8192 });
        stream.on('error', () => {});
        const whole = patternBytes(300_000, round + 1);
        for (let at = 0; at < whole.length; at += 5000) stream.write(whole.subarray(at, at + 5000));
        await new Promise((resolve) => stream.once('open', resolve));
        for (let turn = 0; turn < round; turn++) await new Promise((resolve) => setImmediate(resolve));
        stream.destroy();
        await closed(stream);
        const written = fs.readFileSync(file);
        expect(
          written.equals(whole.subarray(0, written.length)),
          `round ${round}: ${written.length} bytes are no prefix`,
        ).to.equal(true);
        // Nothing may arrive after 'close'.
        await pause_ms(2);
        expect(fs.statSync(file).size).to.equal(written.length);
      }
    });
  }
});
