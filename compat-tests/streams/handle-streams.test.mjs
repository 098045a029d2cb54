// Read streams over a FileHandle: both ways to make one, what they leave behind, and what the engine does for them.
import fs from 'node:fs';
import { expect } from 'chai';
import { stats } from 'ioengine';
import { descriptorState, same } from '../helpers/compare.mjs';
import { SIDES } from '../helpers/oracle.mjs';
import { patternBytes } from '../helpers/tempdir.mjs';
import { engineDirectory } from './support/engine-suite.mjs';
import { closed, drain, facts, READ_EVENTS, record } from './support/events.mjs';

const BIG = patternBytes(2_000_003, 31);
const ways = {
  'handle.createReadStream': (_side, handle, options) => handle.createReadStream(options),
  'createReadStream({ fd: handle })': (side, handle, options) =>
    side.fs.createReadStream(null, { ...options, fd: handle }),
};
const placed = [
  {},
  { start: 0 },
  { start: 4099 },
  { end: 99 },
  { start: 10, end: 700_000 },
  { start: 3_000_000 },
  { start: 5, highWaterMark: 10_007 },
];

const ended = (stream) => new Promise((resolve) => stream.once('end', () => setTimeout(resolve, 20)));

for (const [way, make] of Object.entries(ways)) {
  describe(`streams: ${way}`, () => {
    same('content, events, and the closing of the handle', async (side) => {
      const file = side.put('file', BIG);
      const seen = {};
      for (const options of placed) {
        const handle = await side.fsp.open(file);
        await handle.read(Buffer.alloc(50), 0, 50, null);
        const closing = [];
        handle.on('close', () => closing.push(handle.fd));
        const label = JSON.stringify(options);
        seen[label] = await drain(side, () => make(side, handle, options));
        seen[`${label}, handle`] = { closing, fd: handle.fd };
      }
      return seen;
    });

    same('autoClose: false leaves the handle open, at the position that node leaves it at', async (side) => {
      const file = side.put('file', BIG);
      const seen = {};
      for (const options of placed) {
        const handle = await side.fsp.open(file);
        const stream = make(side, handle, { ...options, autoClose: false });
        stream.resume();
        await ended(stream);
        const label = JSON.stringify(options);
        seen[label] = { position: descriptorState(handle.fd).pos, facts: facts(side, stream) };
        seen[`${label}, read on`] = await side.attempt(() => handle.read(Buffer.alloc(10), 0, 10, null));
        await handle.close();
        await closed(stream);
      }
      return seen;
    });

    same('destroyed after 3 chunks', async (side) => {
      const file = side.put('file', BIG);
      const seen = {};
      for (const options of [{}, { start: 7 }]) {
        for (const [how, stop] of Object.entries({
          destroy: (stream) => stream.destroy(),
          'destroy(error)': (stream) => stream.destroy(new Error('stopped by the test')),
          'handle.close()': (_stream, handle) => void handle.close(),
        })) {
          const handle = await side.fsp.open(file);
          const stream = make(side, handle, options);
          const log = record(side, stream, READ_EVENTS);
          let chunks = 0;
          stream.on('data', () => ++chunks === 3 && stop(stream, handle));
          await closed(stream);
          seen[`${how} ${JSON.stringify(options)}`] = { log, facts: facts(side, stream), fd: handle.fd };
        }
      }
      return seen;
    });

    same('abort signals, encodings, iteration, lines', async (side) => {
      const file = side.put('text', 'grüße \u{1f600}\n'.repeat(50_000));
      const seen = {};
      for (const options of [{}, { start: 7 }]) {
        const label = JSON.stringify(options);
        const controller = new AbortController();
        const aborted = make(side, await side.fsp.open(file), { ...options, signal: controller.signal });
        const log = record(side, aborted, READ_EVENTS);
        aborted.once('data', () => controller.abort(new Error('my reason')));
        await closed(aborted);
        seen[`${label} aborted`] = log;
        let text = '';
        const handle = await side.fsp.open(file);
        for await (const part of make(side, handle, { ...options, encoding: 'utf8', highWaterMark: 1001 }))
          text += part;
        seen[`${label} text`] = { text, fd: handle.fd };
        const lines = await side.fsp.open(file);
        let count = 0;
        const over = new Promise((resolve) => lines.once('close', resolve));
        for await (const line of lines.readLines(options)) count += line.length;
        await over; // whatever was read ahead of the end is waited for
        seen[`${label} lines`] = { count, fd: lines.fd };
      }
      return seen;
    });

    same('errors: a handle for writing only, a directory', async (side) => {
      const seen = {};
      for (const options of [{}, { start: 3 }]) {
        for (const [label, open] of [
          ['write only', () => side.fsp.open(side.file('out'), 'w')],
          ['directory', () => side.fsp.open(side.dir)],
        ]) {
          const handle = await open();
          seen[`${label} ${JSON.stringify(options)}`] = {
            ...(await drain(side, () => make(side, handle, options))),
            fd: handle.fd,
          };
        }
      }
      return seen;
    });

    same('a read of the program is called', async (side) => {
      const handle = await side.fsp.open(side.put('file', BIG.subarray(0, 200_000)));
      const { read } = handle;
      const positions = [];
      handle.read = (buffer, offset, length, position) => {
        positions.push([offset, length, position]);
        return read.call(handle, buffer, offset, length, position);
      };
      const seen = await drain(side, () => make(side, handle, { start: 3 }));
      return { ...seen, positions };
    });
  });
}

describe('streams: a FileHandle on the engine', () => {
  const inDirectory = engineDirectory();
  before(async () => {
    fs.writeFileSync(inDirectory('file'), Buffer.concat(Array(4).fill(BIG)));
    // Nothing is read ahead of a file that has changed lately.
    await new Promise((resolve) => setTimeout(resolve, 1100));
  });

  const { fs: ours, fsp } = SIDES.find((side) => side.name === 'ours');
  const engineOperations = () => Object.values(stats().lanes).reduce((sum, lane) => sum + lane.operations, 0);

  for (const [way, make] of Object.entries(ways)) {
    it(`${way}: with a start several chunks come with one read`, async () => {
      const handle = await fsp.open(inDirectory('file'));
      const before = engineOperations();
      let chunks = 0;
      for await (const _ of make({ fs: ours }, handle, { start: 0, highWaterMark: 4096 })) chunks++;
      expect(chunks).to.be.above(1000);
      expect(engineOperations() - before).to.be.below(chunks / 2);
    });
  }
});
