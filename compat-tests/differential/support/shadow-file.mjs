// One file, random operations in every form the API has, and a shadow in memory of what it has to be (in the manner of
// fsx): reads and writes with and without vectors and positions, appends, truncations, streams both ways, reopening.
import fs from 'node:fs';
import { expect } from 'chai';
import fc from 'fast-check';
import { openBelow } from '../../helpers/compare.mjs';
import { ours, oursP } from '../../helpers/oracle.mjs';
import { patternBytes } from '../../helpers/tempdir.mjs';

const SIZE_MAX = 400_000;

export const O_DIRECT = fs.constants.O_DIRECT;

const offset = fc.oneof(
  fc.nat(SIZE_MAX),
  fc.nat(Math.floor(SIZE_MAX / 512)).map((n) => n * 512),
  fc.nat(Math.floor(SIZE_MAX / 4096)).map((n) => n * 4096),
  fc.nat(5000),
);
const length = fc.oneof(
  fc.nat(10_000),
  fc.nat(100_000),
  fc.nat(20).map((n) => n * 4096),
  fc.nat(40).map((n) => n * 512),
  fc.constantFrom(1, 511, 512, 513, 4095, 4097),
);
const skew = fc.oneof(fc.constant(0), fc.nat(4096), fc.constantFrom(1, 8, 512));
const seed = fc.integer({ min: 1, max: 1_000_000 });

export const operation = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('write'), offset, length, skew, seed }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('read'), offset, length, skew }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('writev'),
      offset,
      sizes: fc.array(fc.nat(9000), { minLength: 1, maxLength: 5 }),
      skew,
      seed,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('readv'),
      offset,
      sizes: fc.array(fc.nat(9000), { minLength: 1, maxLength: 5 }),
      skew,
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('truncate'), length: offset }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('readHere'), length, skew }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('writeHere'), length, skew, seed }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reopen') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('sync') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('buffered'), offset, length, seed }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('whole') }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('callbacks'), offset, length, seed }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('append'), length, seed }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('truncatePath'), length: offset }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('streamInto'),
      offset,
      length: fc.integer({ min: 1, max: 100_000 }),
      chunk: fc.integer({ min: 100, max: 40_000 }),
      seed,
      handle: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('stream'),
      offset,
      length: fc.integer({ min: 1, max: 100_000 }),
      highWaterMark: fc.integer({ min: 500, max: 70_000 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('readsAtOnce'),
      offset,
      length: fc.integer({ min: 1, max: 9000 }),
      count: fc.integer({ min: 2, max: 16 }),
    }),
  },
);

/** A buffer that begins `skew` bytes behind wherever the allocator put it, with canaries on both sides. */
function skewed(size, by) {
  const whole = Buffer.alloc(size + by + 64, 0xc7);
  const check = () => {
    const outside = Buffer.concat([whole.subarray(0, by), whole.subarray(by + size)]);
    expect(
      outside.every((byte) => byte === 0xc7),
      'bytes outside of the buffer were written',
    ).to.equal(true);
  };
  return { view: whole.subarray(by, by + size), check };
}

/** The file as it has to be. */
class Shadow {
  bytes = Buffer.alloc(0);

  write(at, data) {
    if (data.length === 0) return;
    this.truncate(Math.max(this.bytes.length, at + data.length));
    data.copy(this.bytes, at);
  }

  truncate(size) {
    const next = Buffer.alloc(size);
    this.bytes.copy(next);
    this.bytes = next;
  }

  read(at, size) {
    return this.bytes.subarray(Math.min(at, this.bytes.length), Math.min(at + size, this.bytes.length));
  }
}

class ShadowRunner {
  constructor(file, open) {
    this.file = file;
    this.openHandle = open;
    this.shadow = new Shadow();
    this.position = 0;
  }

  async open() {
    this.handle = await this.openHandle(this.file);
    this.position = 0;
  }

  async run(given) {
    await this[given.do](given);
    expect(fs.fstatSync(this.handle.fd).size, 'the exact length of the file').to.equal(this.shadow.bytes.length);
  }

  async read({ offset: at, length: size, skew: by }) {
    const { view, check } = skewed(size, by);
    const { bytesRead, buffer } = await this.handle.read(view, 0, size, at);
    this.sameBytes(view.subarray(0, bytesRead), this.shadow.read(at, size));
    expect(buffer).to.equal(view);
    check();
  }

  async write({ offset: at, length: size, skew: by, seed: from }) {
    const { view, check } = skewed(size, by);
    patternBytes(size, from).copy(view);
    const { bytesWritten } = await this.handle.write(view, 0, size, at);
    expect(bytesWritten).to.equal(size);
    this.sameBytes(view, patternBytes(size, from));
    check();
    this.shadow.write(at, view);
  }

  async readv({ offset: at, sizes, skew: by }) {
    const views = sizes.map((size) => skewed(size, by));
    const { bytesRead } = await this.handle.readv(
      views.map(({ view }) => view),
      at,
    );
    const total = sizes.reduce((a, b) => a + b, 0);
    this.sameBytes(Buffer.concat(views.map(({ view }) => view)).subarray(0, bytesRead), this.shadow.read(at, total));
    for (const { check } of views) check();
  }

  async writev({ offset: at, sizes, skew: by, seed: from }) {
    const views = sizes.map((size, index) => {
      const { view } = skewed(size, by);
      patternBytes(size, from + index).copy(view);
      return view;
    });
    const data = Buffer.concat(views);
    const { bytesWritten } = await this.handle.writev(views, at);
    expect(bytesWritten).to.equal(data.length);
    this.shadow.write(at, data);
  }

  async readHere({ length: size, skew: by }) {
    const { view, check } = skewed(size, by);
    const { bytesRead } = await this.handle.read(view, 0, size, null);
    this.sameBytes(view.subarray(0, bytesRead), this.shadow.read(this.position, size));
    this.position += bytesRead;
    check();
  }

  async writeHere({ length: size, skew: by, seed: from }) {
    if (this.position + size > 4 * SIZE_MAX) return;
    const { view } = skewed(size, by);
    patternBytes(size, from).copy(view);
    expect((await this.handle.write(view, 0, size, null)).bytesWritten).to.equal(size);
    this.shadow.write(this.position, view);
    this.position += size;
  }

  async truncate({ length: size }) {
    await this.handle.truncate(size);
    this.shadow.truncate(size);
  }

  async reopen() {
    await this.handle.close();
    this.sameBytes(fs.readFileSync(this.file), this.shadow.bytes);
    await this.open();
  }

  sync() {
    return this.handle.sync();
  }

  /** A buffered writer beside the direct handle: both have to see one file. */
  buffered({ offset: at, length: size, seed: from }) {
    const data = patternBytes(size, from);
    const fd = fs.openSync(this.file, 'r+');
    fs.writeSync(fd, data, 0, size, at);
    fs.closeSync(fd);
    this.shadow.write(at, data);
  }

  async whole() {
    const fresh = await this.openHandle(this.file);
    try {
      this.sameBytes(await fresh.readFile(), this.shadow.bytes);
    } finally {
      await fresh.close();
    }
  }

  async stream({ offset: at, length: size, highWaterMark }) {
    const parts = [];
    const options = { start: at, end: at + size - 1, highWaterMark, direct: 'try' };
    for await (const part of ours.createReadStream(this.file, options)) parts.push(part);
    this.sameBytes(Buffer.concat(parts), this.shadow.read(at, size));
  }

  /** The functions on descriptors, on the same file position and gate. */
  async callbacks({ offset: at, length: size, seed: from }) {
    const call = (name, ...args) =>
      new Promise((resolve, reject) => {
        ours[name](this.handle.fd, ...args, (error, count) => (error ? reject(error) : resolve(count)));
      });
    const data = patternBytes(size, from);
    expect(await call('write', data, 0, size, at)).to.equal(size);
    this.shadow.write(at, data);
    const view = Buffer.alloc(size + 100);
    const count = await call('read', view, 0, view.length, at);
    this.sameBytes(view.subarray(0, count), this.shadow.read(at, view.length));
  }

  async append({ length: size, seed: from }) {
    if (this.shadow.bytes.length > 4 * SIZE_MAX) return;
    const data = patternBytes(size, from);
    await oursP.appendFile(this.file, data);
    this.shadow.write(this.shadow.bytes.length, data);
  }

  async truncatePath({ length: size }) {
    await oursP.truncate(this.file, size);
    this.shadow.truncate(size);
  }

  /** A stream writes in pieces, by the path or by a handle of its own; the other pieces come from its memory. */
  async streamInto({ offset: at, length: size, chunk, seed: from, handle: byHandle }) {
    const data = patternBytes(size, from);
    const options = { flags: 'r+', start: at };
    const stream = byHandle
      ? (await this.openHandle(this.file)).createWriteStream(options)
      : ours.createWriteStream(this.file, { ...options, direct: 'try' });
    const closed = new Promise((resolve, reject) => stream.on('error', reject).on('close', resolve));
    for (let done = 0; done < size; done += chunk) stream.write(data.subarray(done, done + chunk));
    stream.end();
    await closed;
    expect(stream.bytesWritten).to.equal(size);
    this.shadow.write(at, data);
  }

  async readsAtOnce({ offset: at, length: size, count }) {
    const reads = Array.from({ length: count }, (_, i) => this.handle.read(Buffer.alloc(size), 0, size, at + i * 1001));
    for (const [index, { buffer, bytesRead }] of (await Promise.all(reads)).entries()) {
      this.sameBytes(buffer.subarray(0, bytesRead), this.shadow.read(at + index * 1001, size));
    }
  }

  sameBytes(actual, expected) {
    expect(actual.length, 'number of bytes').to.equal(expected.length);
    if (actual.equals(expected)) return;
    const at = expected.findIndex((byte, index) => byte !== actual[index]);
    expect.fail(`first wrong byte at ${at}: ${actual[at]} instead of ${expected[at]}`);
  }
}

/** Runs the operations on a new file that `open` opens, and compares it with the shadow after each, and as a whole. */
export async function runOnShadow(directory, open, operations) {
  const file = `${directory}/file-${Math.random().toString(36).slice(2)}`;
  fs.writeFileSync(file, '');
  const runner = new ShadowRunner(file, open);
  await runner.open();
  try {
    for (const [index, given] of operations.entries()) {
      try {
        await runner.run(given);
      } catch (error) {
        error.message = `operation ${index} ${JSON.stringify(given)}: ${error.message}`;
        throw error;
      }
    }
  } finally {
    await runner.handle.close();
  }
  runner.sameBytes(fs.readFileSync(file), runner.shadow.bytes);
  expect(openBelow(directory), 'descriptors left open').to.deep.equal([]);
  fs.rmSync(file);
}

/** How a handle on the file is had. */
export const OPENERS = {
  'direct: true': (file) => oursP.open(file, { flags: 'r+', direct: true }),
  "direct: 'try'": (file) => oursP.open(file, { flags: 'r+', direct: 'try' }),
  'O_DIRECT in the flags': (file) => oursP.open(file, fs.constants.O_RDWR | O_DIRECT),
  buffered: (file) => oursP.open(file, 'r+'),
};
