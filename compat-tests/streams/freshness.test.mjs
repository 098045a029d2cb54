// What a read stream hands out is what the file holds when the consumer asks, and the descriptor's position is where
// node's would be: whatever has been read ahead.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { same } from '../helpers/compare.mjs';

const CHUNK = 65_536;

/** A file that was changed so recently is not read ahead of: csrc/scheduler/file_stamp.cc. */
const SETTLED_MS = 1100;

/** Streams of every kind that may read ahead, over a file of the side, and the size of their chunks. */
const STREAMS = {
  'of a path': [CHUNK, (side, file) => side.fs.createReadStream(file)],
  'of a path, with start': [CHUNK, (side, file) => side.fs.createReadStream(file, { start: 0 })],
  'of a path, 4 KiB': [4096, (side, file) => side.fs.createReadStream(file, { highWaterMark: 4096 })],
  'of a path, 4 KiB, with start': [
    4096,
    (side, file) => side.fs.createReadStream(file, { start: 0, highWaterMark: 4096 }),
  ],
  'of a path, 512 KiB': [524_288, (side, file) => side.fs.createReadStream(file, { highWaterMark: 524_288 })],
  'direct (ours)': [CHUNK, (side, file) => side.fs.createReadStream(file, { direct: 'try' })],
  'of a handle': [CHUNK, async (side, file) => (await side.fsp.open(file)).createReadStream({ highWaterMark: CHUNK })],
  'of a handle, 4 KiB, with start': [
    4096,
    async (side, file) => (await side.fsp.open(file)).createReadStream({ start: 0, highWaterMark: 4096 }),
  ],
};

/** The stream has asked for its next chunk, and has it, also on a busy machine. */
const NEXT_READ_MS = 50;

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** A paused stream has read one chunk more, as node's does: on a busy machine that takes a while. */
async function nextChunk(stream) {
  const PATIENCE_MS = 5000;
  for (const until = performance.now() + PATIENCE_MS; stream.readableLength === 0 && performance.now() < until; ) {
    await wait(5);
  }
}

/** Reads it all; behind chunk number `at` the stream is paused for `change`. */
async function readAll(stream, at, change) {
  const counts = { a: 0, b: 0 };
  let chunks = 0;
  await new Promise((resolve, reject) => {
    stream.on('error', reject).on('end', resolve);
    stream.on('data', (chunk) => {
      for (const byte of [0, chunk.length - 1]) counts[String.fromCharCode(chunk[byte])] += chunk.length / 2;
      if (++chunks !== at) return;
      stream.pause();
      nextChunk(stream)
        .then(change)
        .then(() => setTimeout(() => stream.resume(), 5), reject);
    });
  });
  return counts;
}

/**
 * Streams of every kind at once, each over a file of its own that is old enough to be read ahead of; `cases` name the
 * chunks of the file, behind which of them it is changed, and how.
 */
async function readChanged(side, cases) {
  const files = [];
  for (const [name, [size, make]] of Object.entries(STREAMS)) {
    for (const [label, { chunks, at, change }] of Object.entries(cases)) {
      const file = side.put(`f${files.length}`, Buffer.alloc(chunks * size, 'a'));
      files.push({ name: `${name}, ${label}`, file, make, at, change: () => change(file, chunks * size) });
    }
  }
  await wait(SETTLED_MS);
  const read = async ({ name, file, make, at, change }) => [name, await readAll(await make(side, file), at, change)];
  return Object.fromEntries(await Promise.all(files.map(read)));
}

describe('streams: what was read ahead', () => {
  same('what is appended near the end is delivered', (side) => {
    const change = (file) => fs.appendFileSync(file, Buffer.alloc(1000, 'b'));
    const cases = [3, 7, 20].map((chunks) => [`${chunks} chunks`, { chunks, at: chunks - 2, change }]);
    return readChanged(side, Object.fromEntries(cases));
  });

  same('what is overwritten or cut off during a pause is not delivered', (side) =>
    readChanged(side, {
      overwritten: {
        chunks: 40,
        at: 20,
        change(file, size) {
          const fd = fs.openSync(file, 'r+');
          fs.writeSync(fd, Buffer.alloc(size, 'b'), 0, size, 0);
          fs.closeSync(fd);
        },
      },
      'cut in the middle': { chunks: 40, at: 20, change: (file, size) => fs.truncateSync(file, size / 2) },
      emptied: { chunks: 40, at: 20, change: (file) => fs.truncateSync(file, 0) },
    }),
  );
});

describe('streams: between two chunks', () => {
  for (const [name, [size, make]] of Object.entries(STREAMS)) {
    same(`ticks and microtasks of one chunk run before the next: ${name}`, async (side) => {
      const stream = await make(side, side.put('f', Buffer.alloc(12 * size, 'a')));
      const order = [];
      stream.on('data', () => {
        order.push('chunk');
        process.nextTick(() => order.push('tick'));
        Promise.resolve()
          .then(() => order.push('microtask'))
          .then(() => process.nextTick(() => order.push('tick of a microtask')));
      });
      await new Promise((resolve) => stream.on('end', resolve));
      return order.slice(0, 4 * 10);
    });
  }
});

/** What a child reads from the descriptor it is given as its standard input. */
const childReads = (stdin, count) =>
  execFileSync('dd', [`bs=${count}`, 'count=1', 'status=none'], {
    stdio: [stdin, 'pipe', 'inherit'],
    encoding: 'latin1',
  });

describe('streams: the position of the descriptor', () => {
  const LETTERS = 'abcdefghijklmnopqrstuvwxyz'.repeat(20_000);
  const opened = (side, options) => {
    fs.writeFileSync(side.file('f'), LETTERS);
    return side.fs.createReadStream(side.file('f'), { encoding: 'latin1', ...options });
  };

  same("a header read in 'open'", async (side) => {
    const seen = [];
    for (const options of [{}, { highWaterMark: 10 }, { end: 30 }]) {
      const stream = opened(side, options);
      stream.on('open', (fd) => fs.readSync(fd, Buffer.alloc(4), 0, 4, null));
      let text = '';
      for await (const chunk of stream) text += chunk;
      seen.push([text.length, text.slice(0, 8), text.slice(-4)]);
    }
    return seen;
  });

  // On a busy machine node's next read comes before the child or after it (2 of 30): so it is waited for.
  same('a child that gets the stream as its standard input, in the midst of it', async (side) => {
    const seen = [];
    const fresh = opened(side, {});
    await new Promise((resolve) => fresh.on('open', resolve));
    seen.push(childReads(fresh, 6));
    fresh.destroy();
    for (const at of [1, 3, 9]) {
      const stream = opened(side, { highWaterMark: 10 });
      let count = 0;
      for await (const chunk of stream) {
        if (++count < at) continue;
        await wait(NEXT_READ_MS);
        seen.push([chunk, childReads(stream.fd, 4)]);
        break;
      }
    }
    return seen;
  });

  same('a position that somebody else moves is heeded', async (side) => {
    const stream = opened(side, { highWaterMark: 10 });
    let text = '';
    let count = 0;
    for await (const chunk of stream) {
      text += chunk;
      await wait(++count === 20 ? NEXT_READ_MS : 1);
      if (count === 20) fs.readSync(stream.fd, Buffer.alloc(7), 0, 7, null);
      if (count === 40) break;
    }
    return text;
  });

  same('each byte comes once, to the stream or to one who reads its descriptor meanwhile', async (side) => {
    const WORDS = 256 * 1024;
    const words = Buffer.from(Uint32Array.from({ length: WORDS }, (_, index) => index).buffer);
    const file = side.put('words', words);
    await wait(SETTLED_MS);
    const seen = {};
    const kinds = {
      'the same module': [side.fs, {}],
      "node's": [fs, {}],
      'the same module, direct (ours)': [side.fs, { direct: 'try' }],
    };
    for (const [label, [module_, options]] of Object.entries(kinds)) {
      const counts = new Uint8Array(WORDS);
      const count = (bytes) => {
        for (let at = 0; at < bytes.length; at += 4) counts[bytes.readUInt32LE(at)]++;
      };
      const reads = [];
      const stream = side.fs.createReadStream(file, { highWaterMark: 4096, ...options });
      let chunks = 0;
      stream.on('data', (chunk) => {
        count(chunk);
        if (++chunks % 3 > 0) return;
        const target = Buffer.alloc(4096);
        const read = new Promise((resolve, reject) => {
          module_.read(stream.fd, target, 0, 4096, null, (error, bytes) => (error ? reject(error) : resolve(bytes)));
        });
        reads.push(read.then((bytes) => count(target.subarray(0, bytes))));
      });
      await new Promise((resolve) => stream.on('close', resolve));
      await Promise.allSettled(reads);
      seen[label] = { once: counts.filter((times) => times === 1).length };
    }
    return seen;
  });

  same('what is left behind a stream that does not close its descriptor', async (side) => {
    const seen = [];
    for (const options of [{ end: 99 }, { end: 99_999 }, {}]) {
      const stream = opened(side, { ...options, autoClose: false });
      let bytes = 0;
      stream.on('data', (chunk) => {
        bytes += chunk.length;
      });
      await new Promise((resolve) => stream.on('end', resolve));
      const next = Buffer.alloc(5, '-');
      const count = fs.readSync(stream.fd, next, 0, 5, null);
      seen.push([bytes, count, next.toString()]);
      fs.closeSync(stream.fd);
    }
    return seen;
  });

  same('a handle that is closed while its stream reads: order of events', async (side) => {
    const seen = [];
    for (const options of [{}, { start: 0 }, { highWaterMark: 100 }]) {
      fs.writeFileSync(side.file('f'), LETTERS);
      const handle = await side.fsp.open(side.file('f'));
      const events = [];
      handle.on('close', () => events.push('handle close'));
      const stream = handle.createReadStream(options);
      const closed = new Promise((resolve) => stream.on('close', () => resolve(events.push('close'))));
      await new Promise((resolve) => stream.once('data', resolve));
      const promise = handle.close().then(() => events.push('promise'));
      await Promise.all([closed, promise]);
      seen.push(events);
    }
    return seen;
  });
});
