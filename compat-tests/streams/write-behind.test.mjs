// What a write stream with `writeBehind` has acknowledged and not written yet: it is no more than was asked for, and
// nothing of it is lost, reordered or changed, whatever the program or the file does next and however the process ends
// that is not killed. What streams say that were not asked to is in write-acknowledged.test.mjs.
import fs from 'node:fs';
import { expect } from 'chai';
import { runChild, startChild } from '../helpers/child.mjs';
import { openBelow } from '../helpers/compare.mjs';
import { SIDES } from '../helpers/oracle.mjs';
import { patternBytes } from '../helpers/tempdir.mjs';
import { engineDirectory } from './support/engine-suite.mjs';
import { closed, pause_ms } from './support/events.mjs';

const MIB = 1024 * 1024;
const { fs: ours } = SIDES.find((side) => side.name === 'ours');
/** Prime, so that no block of the file is like another one at the same place of a chunk. */
const PERIOD = 1_000_003;
const content = Buffer.concat(Array(9).fill(patternBytes(PERIOD, 21)));

function nodeError(options) {
  try {
    fs.createReadStream('/', options);
  } catch (error) {
    return error;
  }
  throw new Error('node took it');
}

const drained = (stream) => new Promise((resolve) => stream.once('drain', resolve));

/** Writes like a program that uses its memory again as soon as it hears 'drain'. */
async function writeReusing(stream, data, sizeOf) {
  const memory = Buffer.alloc(3 * MIB);
  let used = 0;
  for (let at = 0, index = 0; at < data.length; index++) {
    const piece = data.copy(memory, used, at, at + sizeOf(index));
    expect(piece, 'write() never said false').to.be.above(0);
    at += piece;
    used += piece;
    if (stream.write(memory.subarray(used - piece, used))) continue;
    await drained(stream);
    memory.fill(0xee, 0, used);
    used = 0;
  }
}

const modes = {
  buffered: { writeBehind: MIB },
  'buffered, few bytes': { writeBehind: 100_000 },
  direct: { direct: 'try', writeBehind: 4 * MIB },
  'direct, few bytes': { direct: 'try', writeBehind: 70_000 },
};
const places = {
  'a new file': { flags: 'w' },
  'a new file, from 0': { flags: 'w', start: 0 },
  'the middle of a file': { flags: 'r+', start: 123_457 },
  'an aligned place in a file': { flags: 'r+', start: 8192 },
  'the end of a file': { flags: 'a' },
};

// In a child, so that it can end in any way: `end` is a function of the test's, as text.
const childSource = `
  import nodeFs from 'node:fs';
  const [name, file, options, end] = process.argv.slice(-4);
  const fs = name === 'node' ? nodeFs : (await import('ioengine/fs')).default;
  const period = nodeFs.readFileSync(file + '.period');
  const twice = Buffer.concat([period, period]);
  const stream = fs.createWriteStream(file, JSON.parse(options));
  const events = [];
  for (const event of ['open', 'finish', 'close']) stream.on(event, () => events.push(event));
  stream.on('error', (error) => events.push(error.code + ' ' + error.syscall));
  const drained = () => new Promise((resolve) => stream.once('drain', resolve).once('close', resolve));
  let at = 0;
  async function write(pieces) {
    for (let i = 0; i < pieces && !stream.destroyed; i++, at = (at + 65_536) % period.length) {
      if (!stream.write(twice.subarray(at, at + 65_536))) await drained();
    }
  }
  const { default: run } = await import('data:text/javascript,' + encodeURIComponent('export default ' + end));
  await run({ stream, write, events, drained });
`;

const workerSource = `
  import { Worker } from 'node:worker_threads';
  new Worker(${JSON.stringify(childSource)}, { eval: true, argv: process.argv.slice(1) });
`;

function childOptions(inDirectory, side, file, options, end, inWorker = false) {
  fs.writeFileSync(inDirectory(`${file}.period`), content.subarray(0, PERIOD));
  const code = inWorker ? workerSource : childSource;
  return { code, args: [side, inDirectory(`${file}`), JSON.stringify(options), String(end)] };
}

describe('streams: writeBehind', function () {
  this.timeout(60_000);
  const inDirectory = engineDirectory();

  it('takes a whole number of bytes above 0, and says so as node would', () => {
    const wrong = { start: ['100', null, {}, 1n, () => {}, true], least: [0, -1, 0.5, Number.NaN, Infinity] };
    for (const value of [...wrong.start, ...wrong.least]) {
      let error;
      try {
        ours.createWriteStream(inDirectory('wrong'), { writeBehind: value });
      } catch (caught) {
        error = caught;
      }
      const said = `${String(value)}: ${error?.stack}`;
      if (wrong.start.includes(value)) {
        // Node's own about another number, with our name in it.
        const nodes = nodeError({ start: value });
        expect(error.message, said).to.equal(
          nodes.message.replace('"start" argument', '"options.writeBehind" property'),
        );
        expect([error.code, error.name, error instanceof TypeError]).to.deep.equal([nodes.code, nodes.name, true]);
      } else {
        expect([error.code, error instanceof RangeError], said).to.deep.equal(['ERR_OUT_OF_RANGE', true]);
        expect(error.message).to.match(/^The value of "options.writeBehind" is out of range. It must be .*Received /);
      }
      expect(Object.keys(error)).to.deep.equal(['code']);
    }
    expect(fs.existsSync(inDirectory('wrong'))).to.equal(false);
    ours.createReadStream(import.meta.filename ?? '/proc/version', { writeBehind: 'of no meaning here' }).destroy();
  });

  it('never holds back more than was asked for, and does hold something back', async () => {
    for (const [bytes, size, highWaterMark] of [
      [65_536, 16_384, 16_384],
      [1_000_000, 65_536, 16_384],
      [3333, 1000, 1],
    ]) {
      const file = inDirectory('bound');
      const stream = ours.createWriteStream(file, { writeBehind: bytes, highWaterMark });
      let given = 0;
      let most = 0;
      for (let i = 0; i < 600; i++) {
        given += size;
        const accepted = stream.write(content.subarray(0, size));
        const looks = accepted ? 1 : 3;
        for (let look = 0; look < looks; look++) {
          if (!accepted && look === 0) await drained(stream);
          else if (look > 0) await new Promise((resolve) => setImmediate(resolve));
          if (stream.fd === null) continue;
          // Acknowledged first: what is written meanwhile makes it less.
          const acknowledged = given - stream.writableLength;
          most = Math.max(most, acknowledged - fs.fstatSync(stream.fd).size);
        }
      }
      stream.end();
      await closed(stream);
      expect(fs.statSync(file).size).to.equal(given);
      expect(most, `of ${bytes}`).to.be.within(1, bytes);
    }
  });

  it("'w', 'a' and 'r+' alike, at any highWaterMark, with callbacks that mean what they say", async () => {
    for (const options of [{ flags: 'a' }, { flags: 'a', highWaterMark: 100 }, { highWaterMark: 1 }, { flags: 'r+' }]) {
      const file = inDirectory('alike');
      fs.writeFileSync(file, 'before');
      const start = options.flags === 'a' ? 6 : 0;
      const stream = ours.createWriteStream(file, { ...options, writeBehind: 10_000 });
      const wrong = [];
      let given = 0;
      for (let i = 0; i < 300; i++) {
        const piece = content.subarray(given, given + 1 + (i % 311));
        given += piece.length;
        const upTo = start + given;
        stream.write(piece, i % 10 === 0 ? () => fs.statSync(file).size < upTo && wrong.push(i) : undefined);
        if (i % 4 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      stream.end();
      await closed(stream);
      expect(wrong).to.deep.equal([]);
      const written = fs.readFileSync(file);
      expect(written.subarray(start, start + given).equals(content.subarray(0, given))).to.equal(true);
    }
  });

  for (const [mode, options] of Object.entries(modes)) {
    for (const [place, where] of Object.entries(places)) {
      it(`${mode}, ${place}: memory may be used again after 'drain'`, async () => {
        const file = inDirectory('reuse');
        const old = patternBytes(3 * MIB, 2);
        for (const sizeOf of [() => 65_536, (i) => 1 + ((i * 7919) % 200_003), (i) => (i % 3 === 0 ? 2 * MIB : 333)]) {
          fs.writeFileSync(file, where.flags === 'w' ? '' : old);
          const stream = ours.createWriteStream(file, { ...options, ...where });
          const data = content.subarray(0, 6 * MIB + 11);
          await writeReusing(stream, data, sizeOf);
          stream.end();
          await closed(stream);
          const start = { w: 0, a: old.length }[where.flags] ?? where.start;
          const written = fs.readFileSync(file);
          expect(written.subarray(start, start + data.length).equals(data), 'what was written').to.equal(true);
          if (where.flags !== 'w') expect(written.subarray(0, start).equals(old.subarray(0, start))).to.equal(true);
          expect(written.length).to.equal(start + data.length);
          expect(stream.bytesWritten).to.equal(data.length);
        }
      });
    }

    it(`${mode}: a callback comes when its chunk and all before it are in the file`, async () => {
      const file = inDirectory('callbacks');
      const stream = ours.createWriteStream(file, options);
      const seen = [];
      let end = 0;
      for (let i = 0; i < 60; i++) {
        const piece = content.subarray(end, end + 4096 * (1 + (i % 30)));
        end += piece.length;
        if (i % 7 !== 3) {
          if (!stream.write(piece) && i % 2 === 0) await drained(stream);
          continue;
        }
        const upTo = end;
        stream.write(piece, () => {
          const now = fs.readFileSync(file);
          seen.push(now.length >= upTo && now.subarray(0, upTo).equals(content.subarray(0, upTo)));
        });
      }
      stream.end();
      await closed(stream);
      expect(seen).to.deep.equal(Array(9).fill(true));
    });

    it(`${mode}: what was taken before destroy() is in the file, and no descriptor stays`, async () => {
      const file = inDirectory('destroyed');
      for (let round = 0; round < 20; round++) {
        const stream = ours.createWriteStream(file, options);
        const pieces = 1 + round;
        for (let i = 0; i < pieces; i++) {
          if (!stream.write(content.subarray(i * 65_536, (i + 1) * 65_536))) await drained(stream);
        }
        stream.destroy();
        await closed(stream);
        expect(fs.readFileSync(file).equals(content.subarray(0, pieces * 65_536)), `${pieces} pieces`).to.equal(true);
      }
      expect(openBelow(inDirectory())).to.deep.equal([]);
    });

    const ends = {
      'process.exit()': async ({ write }) => {
        await write(40);
        process.exit(0);
      },
      'a throw': async ({ write }) => {
        await write(40);
        throw new Error('on purpose');
      },
      'process.exit() without listeners': async ({ write }) => {
        await write(40);
        process.removeAllListeners();
        process.exit(0);
      },
      'process.exit() in a listener, with a write in it': async ({ write }) => {
        await write(39);
        process.on('exit', () => void write(1));
        process.exit(0);
      },
      'nothing left to do': async ({ write }) => {
        await write(40);
      },
      'the end of a Worker': async ({ write }) => {
        await write(40);
        process.exit(0);
      },
    };
    for (const [how, end] of Object.entries(ends)) {
      // What finds no room is not acknowledged, and what is not acknowledged ends with the process.
      if (how.includes('a write in it') && options.writeBehind < MIB) continue;
      it(`${mode}, ${how} after writes: all is in the file`, async () => {
        for (const [where, start] of [
          [{ flags: 'w' }, 0],
          [{ flags: 'r+', start: 5000 }, 5000],
        ]) {
          const file = inDirectory('exit');
          fs.writeFileSync(file, Buffer.alloc(start));
          const inWorker = how === 'the end of a Worker';
          const child = await runChild(
            childOptions(inDirectory, 'ours', 'exit', { ...options, ...where }, end, inWorker),
          );
          expect(child.signal, child.describe()).to.equal(null);
          const written = fs.readFileSync(file).subarray(start);
          expect(written.equals(content.subarray(0, 40 * 65_536)), `${written.length} bytes`).to.equal(true);
        }
      });
    }

    it(`${mode}: an error ends the stream as in node, and the file is a prefix`, async () => {
      // A limit of the file size, in the middle of a chunk and at the end of a block: EFBIG, for this process alone.
      const end = async ({ stream, write, events, drained }) => {
        const { execFileSync } = await import('node:child_process');
        execFileSync('prlimit', ['--fsize=2998272', '--pid', String(process.pid)]);
        await write(200);
        if (!stream.closed) await drained();
        console.log(JSON.stringify({ events, written: stream.bytesWritten, errored: stream.errored?.code }));
      };
      const results = {};
      for (const side of ['node', 'ours']) {
        const given = side === 'node' ? {} : options;
        const child = await runChild(childOptions(inDirectory, side, `limit-${side}`, given, end));
        expect(child.status, child.describe()).to.equal(0);
        const written = fs.readFileSync(inDirectory(`limit-${side}`));
        expect(written.equals(content.subarray(0, written.length)), 'the file is no prefix').to.equal(true);
        results[side] = { ...child.json(), length: written.length };
      }
      expect(results.ours).to.deep.equal(results.node);
    });

    it(`${mode}: a killed process leaves a prefix`, async () => {
      const end = async ({ write }) => {
        await write(1);
        // It may outlive a test run that is killed: it ends with its parent, and never writes more than 256 MiB.
        process.stdin.on('end', () => process.exit(0)).resume();
        console.log('started');
        await write(4095);
        process.exit(0);
      };
      const lengths = new Set();
      for (let round = 0; round < 6; round++) {
        const child = startChild(childOptions(inDirectory, 'ours', 'killed', options, end));
        await child.waitFor(/started/);
        await pause_ms(20 + 25 * round);
        child.kill('SIGKILL');
        await child.ended();
        const file = inDirectory('killed');
        const written = fs.readFileSync(file);
        let good = 0;
        while (good < written.length) {
          const from = good % PERIOD;
          const part = Math.min(PERIOD - from, written.length - good);
          if (!written.subarray(good, good + part).equals(content.subarray(from, from + part))) break;
          good += part;
        }
        expect(good, `of ${written.length} bytes`).to.equal(written.length);
        lengths.add(written.length);
        fs.rmSync(file);
      }
      expect(Math.max(...lengths), 'nothing was ever written').to.be.above(0);
    });
  }

  it('a patch of fs.write in the middle of a stream is seen, behind what was taken before it', async () => {
    const file = inDirectory('patched');
    const { write, writev } = ours;
    const stream = ours.createWriteStream(file, { writeBehind: MIB });
    try {
      for (let i = 0; i < 20; i++) {
        if (!stream.write(content.subarray(i * 65_536, (i + 1) * 65_536))) await drained(stream);
      }
      let patched = 0;
      ours.write = (...args) => {
        patched++;
        return write(...args);
      };
      for (let i = 20; i < 25; i++) {
        if (!stream.write(content.subarray(i * 65_536, (i + 1) * 65_536))) await drained(stream);
      }
      stream.end();
      await closed(stream);
      expect(patched).to.equal(5);
      expect(fs.readFileSync(file).equals(content.subarray(0, 25 * 65_536))).to.equal(true);
    } finally {
      Object.assign(ours, { write, writev });
    }
  });
});
