// Streams while they run: destroy, abort, backpressure, pipelines, other fs objects, growing files, O_DIRECT.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { PassThrough, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { expect } from 'chai';
import { openBelow, same } from '../helpers/compare.mjs';
import { eventually } from '../helpers/events.mjs';
import { SIDES } from '../helpers/oracle.mjs';
import { patternBytes, removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';
import {
  closed,
  drain,
  facts,
  pause_ms,
  READ_EVENTS,
  record,
  squeeze,
  unchanging,
  WRITE_EVENTS,
} from './support/events.mjs';

const BIG = patternBytes(2_000_003, 4);
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** What counts when the number of 'data' events before a stop depends on timing. */
const outline = (log) => log.filter(([name]) => name !== 'data');

describe('streams: destroy and abort', () => {
  const moments = {
    'at once': async () => {},
    'after open': (stream) => new Promise((resolve) => stream.once('open', resolve)),
    'at the first data': (stream) => new Promise((resolve) => stream.once('data', resolve)),
    'in the next turn': () => new Promise((resolve) => setImmediate(resolve)),
  };
  const ways = {
    'destroy()': (stream) => stream.destroy(),
    'destroy(error)': (stream) => stream.destroy(new Error('stopped by the test')),
    'close()': (stream, log) => stream.close((...args) => log.push(['close callback', args.length])),
    'destroy() twice': (stream) => stream.destroy().destroy(new Error('ignored')),
  };
  for (const [moment, wait] of Object.entries(moments)) {
    for (const [way, stop] of Object.entries(ways)) {
      same(`reading, ${moment}, ${way}`, async (side) => {
        const stream = side.fs.createReadStream(side.put('file', BIG));
        const log = record(side, stream, READ_EVENTS);
        await wait(stream);
        stop(stream, log);
        await closed(stream);
        const atClose = log.length;
        await pause_ms(5);
        const { bytesRead, pos, pending, ...rest } = facts(side, stream);
        const timed = moment === 'in the next turn'; // whether the file was open by then is a matter of time
        return {
          log: timed ? outline(log).filter(([name]) => name !== 'open' && name !== 'ready') : outline(log),
          late: log.length - atClose,
          facts: timed ? rest.destroyed : rest,
        };
      });
      if (moment === 'at the first data') continue;
      same(`writing, ${moment}, ${way}`, async (side) => {
        const stream = side.fs.createWriteStream(side.put('file', 'old'), { flags: 'r+', start: 0 });
        const log = record(side, stream, WRITE_EVENTS);
        await wait(stream);
        stop(stream, log);
        await closed(stream);
        await pause_ms(5);
        const timed = moment === 'in the next turn';
        return {
          log: timed ? log.filter(([name]) => name !== 'open' && name !== 'ready') : log,
          facts: timed ? stream.destroyed : facts(side, stream),
        };
      });
    }
  }

  const signalled = (side) => ({
    read: (signal) => side.fs.createReadStream(side.put('file', BIG), { signal }),
    write: (signal) => side.fs.createWriteStream(side.file('out'), { signal }),
  });

  same('a signal that fires after open', async (side) => {
    const seen = {};
    for (const [label, make] of Object.entries(signalled(side))) {
      const controller = new AbortController();
      const stream = make(controller.signal);
      const log = record(side, stream, [...READ_EVENTS, 'finish']);
      await new Promise((resolve) => stream.once('open', resolve));
      controller.abort(new Error('my reason'));
      await closed(stream);
      seen[label] = outline(log);
    }
    return seen;
  });

  // Node leaves the file open after both of these, so a descriptor more is no difference here.
  same(
    'a signal that has fired before, and things that are no signal',
    async (side) => {
      const seen = {};
      for (const [label, make] of Object.entries(signalled(side))) {
        const stream = make(AbortSignal.abort());
        const log = record(side, stream, [...READ_EVENTS, 'finish']);
        // `closed` is true from the start here, and the file is opened nevertheless.
        await eventually(() => log.some(([name]) => name === 'ready'), `'ready' of the stream for ${label}`);
        await pause_ms(5);
        seen[`${label}, aborted before`] = log;
        for (const odd of ['stop', {}, 5, null]) {
          seen[`${label}, signal ${JSON.stringify(odd)}`] = await side.attempt(
            () =>
              void make(odd)
                .on('error', () => {})
                .destroy(),
          );
        }
      }
      return seen;
    },
    { leaksAllowed: true },
  );

  same('for await that breaks, and errors in it', async (side) => {
    const file = side.put('file', BIG);
    const seen = {};
    const broken = side.fs.createReadStream(file);
    for await (const chunk of broken) {
      seen.first = chunk;
      break;
    }
    await closed(broken);
    seen.broken = [broken.destroyed, broken.fd];
    seen.missing = await side.attempt(async () => {
      for await (const _ of side.fs.createReadStream(side.file('absent'))) throw new Error('data of a missing file');
    });
    return seen;
  });
});

describe('streams: backpressure', () => {
  let directory;
  before(() => {
    directory = temporaryDirectory();
    fs.writeFileSync(`${directory}/large`, Buffer.alloc(64 * 1024 * 1024, 5));
  });
  after(() => removeDirectory(directory));

  // A stream may read ahead, but not without bound: 16 MiB is far below the file and far above node's 128 KiB.
  const AHEAD_MAX_BYTES = 16 * 1024 * 1024;

  for (const side of SIDES) {
    it(`${side.name}: a paused consumer stops the reading`, async () => {
      const stream = side.fs.createReadStream(`${directory}/large`);
      await new Promise((resolve) => stream.once('data', resolve));
      stream.pause();
      // A reading that goes on while paused comes to the end of the file, far beyond the limit, and stops there.
      expect(await unchanging(() => stream.bytesRead)).to.be.at.most(AHEAD_MAX_BYTES);
      expect(stream.readableLength).to.be.at.most(AHEAD_MAX_BYTES);
      stream.destroy();
      await closed(stream);
    });

    it(`${side.name}: write() says false at the highWaterMark and 'drain' comes`, async () => {
      const stream = side.fs.createWriteStream(`${directory}/${side.name}`, { highWaterMark: 16_384 });
      const answers = [1, 2, 3].map(() => stream.write(Buffer.alloc(8192)));
      expect(answers).to.deep.equal([true, false, false]);
      await new Promise((resolve) => stream.once('drain', resolve));
      expect(stream.writableLength).to.equal(0);
      await new Promise((resolve) => stream.end(resolve));
      await closed(stream);
    });
  }

  same('a slow consumer gets everything in order', async (side) => {
    const parts = [];
    for await (const chunk of side.fs.createReadStream(side.put('file', BIG), { highWaterMark: 100_000 })) {
      parts.push(chunk.length);
      await pause_ms(1);
      if (!chunk.equals(BIG.subarray((parts.length - 1) * 100_000, (parts.length - 1) * 100_000 + chunk.length)))
        return { wrong: parts.length };
    }
    return { parts };
  });

  same('chunks stay what they were when kept', async (side) => {
    const kept = [];
    for await (const chunk of side.fs.createReadStream(side.put('file', BIG), { highWaterMark: 4096 }))
      kept.push(chunk);
    await pause_ms(5);
    // Changing one chunk must not show in another: they are the consumer's own memory.
    kept[0].fill(0);
    kept[2].fill(0);
    return { equal: Buffer.concat(kept.slice(3)).equals(BIG.subarray(3 * 4096)), second: kept[1] };
  });
});

describe('streams: pipelines', () => {
  for (const size of [0, 1, 65_536, 5_000_001]) {
    for (const options of [
      {},
      { highWaterMark: 1_048_576 },
      { highWaterMark: 4099 },
      { direct: true },
      { direct: 'try' },
    ]) {
      it(`copy of ${size} bytes, ${JSON.stringify(options)}`, async function () {
        const directory = temporaryDirectory();
        try {
          const whole = patternBytes(size, size + 3);
          fs.writeFileSync(`${directory}/from`, whole);
          for (const side of SIDES) {
            const to = `${directory}/${side.name}`;
            try {
              await pipeline(
                side.fs.createReadStream(`${directory}/from`, options),
                side.fs.createWriteStream(to, options),
              );
            } catch (error) {
              // A filesystem that has no O_DIRECT must say so clearly; anything else is a failure.
              if (options.direct === true && error.code === 'EINVAL') {
                const { skipBecause } = await import('../helpers/compare.mjs');
                return skipBecause(this, `the temporary directory refuses O_DIRECT: ${error.message}`);
              }
              throw error;
            }
            expect(fs.statSync(to).size).to.equal(size);
            expect(sha256(fs.readFileSync(to))).to.equal(sha256(whole));
          }
          expect(openBelow(directory)).to.deep.equal([]);
        } finally {
          removeDirectory(directory);
        }
      });
    }
  }

  same('through a transform, into the middle of a file, and several at once', async (side) => {
    const file = side.put('file', BIG);
    const upper = () =>
      new Transform({
        transform: (chunk, _encoding, done) => done(null, Buffer.from(chunk.map((byte) => byte ^ 0xff))),
      });
    await Promise.all(
      [1, 2, 3, 4].map((id) =>
        pipeline(
          side.fs.createReadStream(file, { start: id * 1000 }),
          upper(),
          side.fs.createWriteStream(side.put(`to ${id}`, 'x'.repeat(200)), { flags: 'r+', start: 100 }),
        ),
      ),
    );
    return { done: true };
  });

  same('errors inside a pipeline close both files', async (side) => {
    const failing = new Transform({ transform: (_chunk, _encoding, done) => done(new Error('in the middle')) });
    return {
      transform: await side.attempt(() =>
        pipeline(side.fs.createReadStream(side.put('file', BIG)), failing, side.fs.createWriteStream(side.file('out'))),
      ),
      source: await side.attempt(() =>
        pipeline(side.fs.createReadStream(side.file('absent')), side.fs.createWriteStream(side.file('out2'))),
      ),
      sink: await side.attempt(() =>
        pipeline(side.fs.createReadStream(side.file('file')), side.fs.createWriteStream(side.file('no/out'))),
      ),
      full: await side.attempt(() =>
        pipeline(side.fs.createReadStream(side.file('file')), side.fs.createWriteStream('/dev/full')),
      ),
    };
  });

  same('pipe() with its events', async (side) => {
    const from = side.fs.createReadStream(side.put('file', BIG));
    const to = side.fs.createWriteStream(side.file('out'));
    const logs = {
      from: record(side, from, READ_EVENTS),
      to: record(
        side,
        to,
        WRITE_EVENTS.filter((name) => name !== 'drain'),
      ),
    };
    from.pipe(new PassThrough()).pipe(to);
    await Promise.all([closed(from), closed(to)]); // which of the two is first is a matter of time
    return logs;
  });
});

describe('streams: other fs objects', () => {
  same('options.fs routes every call', async (side) => {
    const calls = [];
    const { open, read, write, writev, close, fsync } = fs;
    const spy = Object.fromEntries(
      Object.entries({ open, read, write, writev, close, fsync }).map(([name, original]) => [
        name,
        (...args) => {
          calls.push([name, args.length]);
          return original(...args);
        },
      ]),
    );
    const seen = {
      read: await drain(side, () => side.fs.createReadStream(side.put('file', BIG.subarray(0, 200_000)), { fs: spy })),
    };
    const out = side.fs.createWriteStream(side.file('out'), { fs: spy });
    for (const piece of ['a', 'b', 'c']) out.write(piece);
    out.end();
    await closed(out);
    for (const broken of [{}, { open: 5 }, { open, read: null }, { open, close: 'x', read }]) {
      seen[`broken ${Object.keys(broken)}`] = await side.attempt(
        () => void side.fs.createReadStream(side.file('file'), { fs: broken }).destroy(),
      );
    }
    return { ...seen, calls };
  });

  it('a patched fs.open of ours is seen by our streams', async () => {
    const directory = temporaryDirectory();
    try {
      fs.writeFileSync(`${directory}/file`, 'content');
      const { fs: subject } = SIDES.find((side) => side.name === 'ours');
      const original = subject.open;
      const opened = [];
      subject.open = function (path, ...rest) {
        opened.push(String(path));
        return original.call(this, path, ...rest);
      };
      try {
        for await (const _ of subject.createReadStream(`${directory}/file`));
        const out = subject.createWriteStream(`${directory}/out`);
        out.end('x');
        await closed(out);
      } finally {
        subject.open = original;
      }
      expect(opened).to.deep.equal([`${directory}/file`, `${directory}/out`]);
    } finally {
      removeDirectory(directory);
    }
  });

  same('subclasses that override open and _read', async (side) => {
    class Twice extends side.fs.ReadStream {
      _transformed = 0;
      push(chunk, ...rest) {
        if (chunk) this._transformed += chunk.length;
        return super.push(chunk, ...rest);
      }
    }
    const stream = new Twice(side.put('file', BIG));
    const log = record(side, stream, READ_EVENTS);
    stream.resume();
    await closed(stream);
    return { log, through: stream._transformed };
  });
});

describe('streams: files that change while they are read', () => {
  same('a file that grows before its end is reached', async (side) => {
    // The end is 10 MB away when it grows, so no reading ahead can have met it: everything must be delivered.
    const file = side.put('growing', Buffer.concat(Array(5).fill(BIG)));
    const parts = [];
    const stream = side.fs.createReadStream(file);
    stream.on('data', (chunk) => {
      if (parts.push(chunk) <= 5) fs.appendFileSync(file, BIG.subarray(parts.length, parts.length + 100_000));
    });
    await closed(stream);
    return { content: Buffer.concat(parts), bytesRead: stream.bytesRead };
  });

  same('a file that shrinks', async (side) => {
    const file = side.put('shrinking', BIG);
    const stream = side.fs.createReadStream(file);
    const log = record(side, stream, READ_EVENTS);
    stream.once('data', () => fs.truncateSync(file, 1000));
    await closed(stream);
    return { outline: squeeze(log) };
  });

  same('a pipe as standard input of a child', async (side) => {
    const reading = new Promise((resolve, reject) => {
      const oracle = new URL('../helpers/oracle.mjs', import.meta.url).href;
      const source = `
        const { SIDES } = await import(${JSON.stringify(oracle)});
        const { fs } = SIDES.find((side) => side.name === ${JSON.stringify(side.name)});
        let text = '';
        fs.createReadStream(null, { fd: 0 }).on('data', (part) => { text += part; }).on('close', () => fs.createWriteStream(null, { fd: 1 }).end(text.toUpperCase()));`;
      const child = execFile(process.execPath, ['--input-type=module', '-e', source], (error, stdout) =>
        error ? reject(error) : resolve(stdout),
      );
      child.stdin.write('first ');
      setTimeout(() => child.stdin.end('second'), 50);
    });
    return { echoed: await reading };
  });
});
