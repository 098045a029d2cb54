// What only our streams do: reading ahead, within bounds; direct writes in whole blocks; web streams over the engine.
import fs from 'node:fs';
import { expect } from 'chai';
import { stats } from 'ioengine';
import { openBelow, same } from '../helpers/compare.mjs';
import { eventually } from '../helpers/events.mjs';
import { SIDES } from '../helpers/oracle.mjs';
import { patternBytes } from '../helpers/tempdir.mjs';
import { engineDirectory } from './support/engine-suite.mjs';
import { closed, unchanging } from './support/events.mjs';

const MIB = 1024 * 1024;
const { fs: ours } = SIDES.find((side) => side.name === 'ours');

function bytesByEngine() {
  const { inline, uring, aio, threads } = stats().lanes;
  return inline.bytes + uring.bytes + aio.bytes + threads.bytes;
}

/** Nothing is read ahead of a file that has changed within the last second. */
const settled = () => new Promise((resolve) => setTimeout(resolve, 1100));

/** A stream that stands still behind `bytes`, and what of the file the engine has read by then, for this stream. */
async function stalled(stream, bytes) {
  const start = bytesByEngine();
  let taken = 0;
  await new Promise((resolve) => {
    stream.on('data', (chunk) => {
      taken += chunk.length;
      if (taken < bytes) return;
      stream.pause();
      resolve();
    });
  });
  return () => bytesByEngine() - start - taken;
}

async function collect(stream, chunks = []) {
  stream.on('data', (chunk) => chunks.push(chunk));
  await closed(stream);
  return Buffer.concat(chunks);
}

describe('streams: the data path of the engine', () => {
  const inDirectory = engineDirectory();
  const content = patternBytes(24 * MIB + 777, 11);
  before(async () => {
    fs.writeFileSync(inDirectory('large'), content);
    await settled();
  });

  for (const [mode, window] of [
    [undefined, MIB],
    ['try', 4 * MIB],
  ]) {
    const options = mode === undefined ? {} : { direct: mode };
    const label = JSON.stringify(options);

    it(`${label}: a stalled consumer has no more than the window read ahead of it`, async () => {
      const chunk = mode === undefined ? 16_384 : 65_536;
      const stream = ours.createReadStream(inDirectory('large'), { ...options, highWaterMark: chunk });
      const readAhead = await stalled(stream, 8 * MIB);
      await eventually(() => readAhead() >= 2 * 65_536, 'reading ahead');
      const ahead = await unchanging(readAhead);
      // What the stream itself buffers comes on top.
      expect(ahead).to.be.at.most(window + 2 * 65536);
      stream.destroy();
      await closed(stream);
    });

    it(`${label}: a kept chunk never changes, whatever is read after it`, async () => {
      const chunks = [];
      await collect(ours.createReadStream(inDirectory('large'), options), chunks);
      for (let i = 0; i < 4; i++) {
        for await (const _ of ours.createReadStream(inDirectory('large'), { ...options, start: 4096 * i + i }));
      }
      expect(Buffer.concat(chunks).equals(content)).to.equal(true);
    });

    it(`${label}: 'close' comes after the last read in flight, and no descriptor stays`, async () => {
      for (let round = 0; round < 40; round++) {
        const stream = ours.createReadStream(inDirectory('large'), options);
        const stop = 1 + ((round * 7) % 50);
        let count = 0;
        let inFlight;
        stream.on('data', () => ++count === stop && stream.destroy());
        stream.on('close', () => {
          inFlight = stats().inFlight;
        });
        await closed(stream);
        expect(count).to.equal(stop);
        expect(inFlight).to.equal(0);
      }
      expect(openBelow(inDirectory())).to.deep.equal([]);
    });

    it(`${label}: odd chunk sizes give node's chunks`, async () => {
      for (const highWaterMark of [4099, 65_537, 262_145, 3 * MIB]) {
        const sizes = [];
        const stream = ours.createReadStream(inDirectory('large'), { ...options, highWaterMark, start: 3 });
        stream.on('data', (chunk) => sizes.push(chunk.length));
        expect((await collect(stream)).equals(content.subarray(3))).to.equal(true);
        expect(new Set(sizes.slice(0, -1))).to.deep.equal(new Set([highWaterMark]));
      }
    });

    it(`${label}: writes of any size and place are what a plain copy is`, async () => {
      for (const [flags, start] of [
        ['w', undefined],
        ['w', 0],
        ['r+', 0],
        ['r+', 4096],
        ['r+', 5000],
        ['a', undefined],
      ]) {
        const file = inDirectory(`${flags}${start}`);
        const old = patternBytes(6 * MIB, 5);
        fs.writeFileSync(file, old);
        const stream = ours.createWriteStream(file, { ...options, flags, start });
        const written = content.subarray(0, 5 * MIB + 321);
        for (let at = 0, step = 1; at < written.length; at += step, step = ((step * 31) % 300_007) + 1) {
          if (!stream.write(written.subarray(at, at + step)))
            await new Promise((resolve) => stream.once('drain', resolve));
        }
        stream.end();
        await closed(stream);
        const at = start ?? 0;
        const expected = {
          w: () => written,
          'r+': () => Buffer.concat([old.subarray(0, at), written, old.subarray(at + written.length)]),
          a: () => Buffer.concat([old, written]),
        }[flags]();
        expect(fs.readFileSync(file).equals(expected), `${flags} at ${start}`).to.equal(true);
        expect(stream.bytesWritten).to.equal(written.length);
      }
    });
  }

  it('no more than one chunk is read ahead in chunks of 64 KiB, or of a file that has just changed', async () => {
    for (const [label, highWaterMark, prepare] of [
      ['64 KiB', 65_536, () => {}],
      ['changed', 4096, (file) => fs.utimesSync(file, 1, 1)],
    ]) {
      const file = inDirectory('large');
      prepare(file);
      const stream = ours.createReadStream(file, { highWaterMark });
      const readAhead = await stalled(stream, MIB);
      const ahead = await unchanging(readAhead);
      stream.destroy();
      await closed(stream);
      expect(ahead, label).to.be.at.most(2 * highWaterMark);
    }
    await settled();
  });

  it('a file that grows behind a short chunk is read on, without what was read ahead of it', async () => {
    for (const options of [{}, { direct: 'try' }]) {
      const file = inDirectory('growing');
      const parts = [content.subarray(0, 1_000_003), content.subarray(1_000_003, 3_000_000)];
      fs.writeFileSync(file, parts[0]);
      const chunks = [];
      const stream = ours.createReadStream(file, options);
      stream.on('data', (chunk) => {
        if (chunk.length < 65_536 && parts.length === 2) fs.appendFileSync(file, parts.pop());
      });
      const whole = await collect(stream, chunks);
      expect(whole.equals(content.subarray(0, 3_000_000))).to.equal(true);
    }
  });

  it("an exception in a 'data' listener is an uncaught exception, and 10 passes take no more memory than one", async () => {
    const listeners = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    try {
      const thrown = new Promise((resolve) => process.once('uncaughtException', resolve));
      const stream = ours.createReadStream(inDirectory('large'));
      stream.once('data', () => {
        throw new Error('by the listener');
      });
      expect((await thrown).message).to.equal('by the listener');
      stream.destroy();
      await closed(stream);
    } finally {
      for (const listener of listeners) process.on('uncaughtException', listener);
    }
    const pass = async () => {
      for await (const _ of ours.createReadStream(inDirectory('large')));
    };
    for (let i = 0; i < 10; i++) await pass();
    const before = process.memoryUsage.rss();
    for (let i = 0; i < 40; i++) await pass();
    expect(process.memoryUsage.rss() - before).to.be.below(128 * MIB);
  });

  same('readableWebStream', async (side) => {
    const seen = {};
    for (const options of [undefined, {}, { type: 'bytes' }]) {
      const handle = await side.fsp.open(side.put('file', patternBytes(200_003, 3)));
      const stream = handle.readableWebStream(options);
      const second = await side.attempt(() => void handle.readableWebStream());
      const chunks = [];
      for await (const chunk of stream) chunks.push([chunk.constructor.name, chunk.byteLength, Buffer.from(chunk)]);
      await handle.close();
      seen[JSON.stringify(options)] = { second, chunks, locked: stream.locked, fd: handle.fd };
    }
    const handle = await side.fsp.open(side.file('file'));
    seen.type = await side.attempt(() => void handle.readableWebStream({ type: 5 }));
    await handle.close();
    return seen;
  });
});
