// O_DIRECT with any offset, length and buffer, against a shadow buffer (in the manner of fsx), per filesystem.
//
//   IOENGINE_RUNS=500 npx mocha --timeout 3600000 compat-tests/differential/direct.test.mjs     a long run
import fs from 'node:fs';
import { expect } from 'chai';
import fc from 'fast-check';
import { descriptorState, openBelow, skipBecause } from '../helpers/compare.mjs';
import { withFilesystem } from '../helpers/filesystems.mjs';
import { checkProperty } from '../helpers/model.mjs';
import { ours, oursP, subjectOverridden } from '../helpers/oracle.mjs';
import { patternBytes, removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';

const SIZE_MAX = 400_000;
const O_DIRECT = fs.constants.O_DIRECT;

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

const operation = fc.oneof(
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

class DirectRunner {
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

const OPENERS = {
  'direct: true': (file) => oursP.open(file, { flags: 'r+', direct: true }),
  "direct: 'try'": (file) => oursP.open(file, { flags: 'r+', direct: 'try' }),
  'O_DIRECT in the flags': (file) => oursP.open(file, fs.constants.O_RDWR | O_DIRECT),
  buffered: (file) => oursP.open(file, 'r+'),
};
const PLAN = {
  ext4: ['direct: true', 'O_DIRECT in the flags'],
  xfs: ['direct: true', "direct: 'try'"],
  tmpfs: ["direct: 'try'", 'buffered'],
  overlayfs: ['direct: true', "direct: 'try'"],
};

async function runOnce(directory, opener, operations) {
  const file = `${directory}/file-${Math.random().toString(36).slice(2)}`;
  fs.writeFileSync(file, '');
  const runner = new DirectRunner(file, OPENERS[opener]);
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

for (const [kind, openers] of Object.entries(PLAN)) {
  describe(`differential: O_DIRECT on ${kind}`, function () {
    this.timeout(600_000);
    let directory;
    before(async function () {
      const filesystem = await withFilesystem(kind);
      if (filesystem.skipped) return skipBecause(this, filesystem.skipped);
      directory = filesystem.dir;
    });
    after(() => directory && fs.rmSync(directory, { recursive: true, force: true }));

    for (const opener of openers) {
      it(`random operations against a shadow, ${opener}`, async function () {
        if (opener === 'O_DIRECT in the flags' && subjectOverridden) {
          return skipBecause(this, 'node:fs answers EINVAL to unaligned O_DIRECT: only ioengine has this');
        }
        const property = fc.asyncProperty(
          fc.array(operation, { minLength: 1, maxLength: 40, size: 'max' }),
          (operations) => runOnce(directory, opener, operations),
        );
        await checkProperty(property, { group: 'direct', file: 'direct.test.mjs', usualRuns: 20 });
      });
    }

    it('a direct handle really has O_DIRECT, and is exact at the ends of a 5,000-byte file', async function () {
      if (subjectOverridden) return skipBecause(this, 'only ioengine has the option');
      if (kind === 'tmpfs') return skipBecause(this, "tmpfs refuses or ignores O_DIRECT; 'try' is tested above");
      const file = `${directory}/five`;
      fs.writeFileSync(file, patternBytes(5000, 5));
      const handle = await oursP.open(file, { flags: 'r+', direct: true });
      try {
        expect(Number.parseInt(descriptorState(handle.fd).flags, 8) & O_DIRECT).to.equal(O_DIRECT);
        expect((await handle.read(Buffer.alloc(8192), 0, 8192, 0)).bytesRead).to.equal(5000);
        expect((await handle.read(Buffer.alloc(8192), 0, 8192, 4096)).bytesRead).to.equal(904);
        expect((await handle.read(Buffer.alloc(8192), 0, 8192, 5000)).bytesRead).to.equal(0);
        expect((await handle.read(Buffer.alloc(8192), 0, 8192, 1_000_000)).bytesRead).to.equal(0);
        await handle.write(Buffer.from('tail'), 0, 4, 4998);
        expect(fs.statSync(file).size).to.equal(5002);
      } finally {
        await handle.close();
      }
    });

    it('direct streams: appends, cut ends, copies', async () => {
      const file = `${directory}/stream`;
      for (const size of [0, 1, 4095, 4096, 5000, 1_000_003]) {
        const content = patternBytes(size, size + 1);
        fs.writeFileSync(file, '');
        await new Promise((resolve, reject) => {
          const out = ours.createWriteStream(file, { direct: 'try' }).on('error', reject).on('close', resolve);
          for (let at = 0; at < size; at += 7001) out.write(content.subarray(at, at + 7001));
          out.end();
        });
        expect(fs.readFileSync(file).equals(content), `written, ${size}`).to.equal(true);
        await new Promise((resolve, reject) =>
          ours
            .createWriteStream(file, { direct: 'try', flags: 'a' })
            .on('error', reject)
            .on('close', resolve)
            .end('appended'),
        );
        expect(fs.readFileSync(file, 'latin1').endsWith('appended'), `appended, ${size}`).to.equal(true);
        expect(fs.statSync(file).size).to.equal(size + 8);
        const parts = [];
        for await (const part of ours.createReadStream(file, {
          direct: 'try',
          start: Math.min(3, size),
          end: size + 2,
        }))
          parts.push(part);
        expect(
          Buffer.concat(parts).equals(fs.readFileSync(file).subarray(Math.min(3, size), size + 3)),
          `read, ${size}`,
        ).to.equal(true);
      }
    });
  });
}

describe('differential: O_DIRECT errors', () => {
  let directory;
  before(() => {
    directory = temporaryDirectory();
  });
  after(() => removeDirectory(directory));

  it('errors of open with direct are node’s', async () => {
    for (const [path, code] of [
      [`${directory}/absent`, 'ENOENT'],
      [`${directory}/absent/x`, 'ENOENT'],
    ]) {
      const error = await oursP.open(path, { flags: 'r', direct: true }).then(
        () => null,
        (reason) => reason,
      );
      expect(error?.code).to.equal(code);
      expect(error.message).to.equal(`ENOENT: no such file or directory, open '${path}'`);
      expect(error.path).to.equal(path);
    }
  });
});
