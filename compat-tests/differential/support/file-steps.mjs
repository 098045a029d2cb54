// Random steps on open files: a FileHandle in each of three slots, and the functions for whole files.
import fs from 'node:fs';
import fc from 'fast-check';
import { attempt, attemptCallback, descriptorState } from '../../helpers/compare.mjs';
import { patternBytes } from '../../helpers/tempdir.mjs';

const FILES = ['a', 'b', 'c'];
const SLOTS = 3;

const length = fc.oneof(
  { weight: 3, arbitrary: fc.nat(200) },
  { weight: 2, arbitrary: fc.nat(20_000) },
  { weight: 1, arbitrary: fc.constantFrom(0, 1, 4095, 4096, 4097, 65_536, 131_072, 200_001) },
);
const position = fc.oneof(
  { weight: 3, arbitrary: fc.constant(null) },
  { weight: 3, arbitrary: fc.nat(30_000) },
  { weight: 1, arbitrary: fc.constantFrom(0, -1, 4096, 65_535, 300_000, undefined) },
);
const slot = fc.nat(SLOTS - 1);
const file = fc.constantFrom(...FILES);
const seed = fc.integer({ min: 1, max: 1_000_000 });
const api = fc.constantFrom('handle', 'callback');
const flags = fc.constantFrom(
  'r',
  'r+',
  'w',
  'w+',
  'a',
  'a+',
  'wx',
  'ax+',
  'as+',
  'rs+',
  fs.constants.O_RDWR | fs.constants.O_CREAT,
);
const sizes = fc.array(fc.nat(9000), { maxLength: 6 });

/** One random step, as data, so that a failing case can be printed and shrunk. */
export const fileStep = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('open'), slot, file, flags }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('close'), slot }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('read'), slot, length, position, api }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('write'), slot, length, position, seed, api }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('writeText'), slot, length, position, seed, api }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('readv'), slot, sizes, position, api }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('writev'), slot, sizes, position, seed, api }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('truncate'), slot, length }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('sync'), slot, api, name: fc.constantFrom('fsync', 'fdatasync') }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('handleReadFile'), slot }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('handleWriteFile'), slot, length, seed }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('readFile'), file, api }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('writeFile'), file, length, seed, api }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('appendFile'), file, length, seed, api }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('readsAtOnce'), slot, count: fc.integer({ min: 2, max: 40 }), length }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('writesAtOnce'),
      slot,
      count: fc.integer({ min: 2, max: 40 }),
      length: fc.integer({ min: 1, max: 3000 }),
      seed,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('stream'),
      file,
      start: fc.nat(9000),
      length: fc.integer({ min: 1, max: 100_000 }),
      highWaterMark: fc.integer({ min: 100, max: 70_000 }),
    }),
  },
);

const cut = (total, list) =>
  list.map((size, index) => total.subarray(list.slice(0, index).reduce((a, b) => a + b, 0)).subarray(0, size));

/** One side of the comparison: runs steps on files of its own. */
export class FileSteps {
  constructor(side, dir) {
    this.side = side;
    this.dir = dir;
    this.handles = [];
    this.fds = [];
  }

  /** Two files with content and a handle in every slot, so that the first steps already meet something. */
  async begin() {
    for (const [index, name] of ['a', 'b'].entries())
      fs.writeFileSync(this.path(name), patternBytes(20_000, index + 1));
    for (const [at, how] of ['r+', 'a+', 'w+'].entries()) {
      this.handles[at] = await this.side.fsp.open(this.path(FILES[at]), how);
    }
  }

  /** What the step did, as plain data. */
  async run(given) {
    const handle = 'slot' in given ? this.handles[given.slot] : undefined;
    if ('slot' in given && !handle && given.do !== 'open') return 'no handle';
    const result = await this[given.do](given, handle);
    const opened = 'slot' in given ? this.handles[given.slot] : undefined;
    return { result, state: opened && opened.fd >= 0 ? descriptorState(opened.fd) : 'closed' };
  }

  path(name) {
    return `${this.dir}/${name}`;
  }

  attempt(call) {
    return attempt(call, this.dir);
  }

  /** The same operation by FileHandle or by callback on its descriptor. */
  either(given, handle, method, name, ...args) {
    if (given.api === 'handle') return this.attempt(() => handle[method](...args));
    return attemptCallback((done) => this.side.fs[name](handle.fd, ...args, done), this.dir);
  }

  async open({ slot: at, file: name, flags: how }) {
    await this.handles[at]?.close();
    this.handles[at] = undefined;
    return this.attempt(async () => {
      this.handles[at] = await this.side.fsp.open(this.path(name), how);
    });
  }

  async close({ slot: at }, handle) {
    const result = await this.attempt(() => handle.close());
    this.handles[at] = undefined;
    return result;
  }

  read(given, handle) {
    const buffer = Buffer.alloc(given.length + 1, 0x2e);
    return this.either(given, handle, 'read', 'read', buffer, 0, given.length, given.position);
  }

  write(given, handle) {
    return this.either(
      given,
      handle,
      'write',
      'write',
      patternBytes(given.length, given.seed),
      0,
      given.length,
      given.position,
    );
  }

  writeText(given, handle) {
    const text = patternBytes(given.length, given.seed).toString('latin1');
    return this.either(given, handle, 'write', 'write', text, given.position, 'utf8');
  }

  async readv(given, handle) {
    const list = given.sizes.map((size) => Buffer.alloc(size, 0x2e));
    const result = await this.either(given, handle, 'readv', 'readv', list, given.position);
    return [result, Buffer.concat(list)];
  }

  writev(given, handle) {
    const total = given.sizes.reduce((a, b) => a + b, 0);
    return this.either(
      given,
      handle,
      'writev',
      'writev',
      cut(patternBytes(total, given.seed), given.sizes),
      given.position,
    );
  }

  truncate({ length: size }, handle) {
    return this.attempt(() => handle.truncate(size));
  }

  sync(given, handle) {
    return this.either(given, handle, given.name === 'fsync' ? 'sync' : 'datasync', given.name);
  }

  handleReadFile(_given, handle) {
    return this.attempt(() => handle.readFile());
  }

  handleWriteFile(given, handle) {
    return this.attempt(() => handle.writeFile(patternBytes(given.length, given.seed)));
  }

  whole(given, name, ...args) {
    if (given.api === 'handle') return this.attempt(() => this.side.fsp[name](this.path(given.file), ...args));
    return attemptCallback((done) => this.side.fs[name](this.path(given.file), ...args, done), this.dir);
  }

  readFile(given) {
    return this.whole(given, 'readFile');
  }

  writeFile(given) {
    return this.whole(given, 'writeFile', patternBytes(given.length, given.seed));
  }

  appendFile(given) {
    return this.whole(given, 'appendFile', patternBytes(given.length, given.seed));
  }

  readsAtOnce({ count, length: size }, handle) {
    const reads = Array.from({ length: count }, (_, index) =>
      this.attempt(() => handle.read(Buffer.alloc(size + 1, 0x2e), 0, size, index * 777)),
    );
    return Promise.all(reads);
  }

  writesAtOnce({ count, length: size, seed: from, slot: at }, handle) {
    // Writes that overlap, or appends, may end in any order: these do not overlap, and appending handles wait.
    const appending = /[2367]...$/.test(descriptorState(this.handles[at].fd).flags.padStart(5, '0'));
    const writeOne = (index) =>
      this.attempt(() => handle.write(patternBytes(size, from + index), 0, size, index * size));
    if (!appending) return Promise.all(Array.from({ length: count }, (_, index) => writeOne(index)));
    return writeOne(0);
  }

  async stream({ file: name, start, length: size, highWaterMark }) {
    return this.attempt(async () => {
      const parts = [];
      const source = this.side.fs.createReadStream(this.path(name), { start, end: start + size - 1, highWaterMark });
      for await (const part of source) parts.push(part);
      return { sizes: parts.map((part) => part.length), content: Buffer.concat(parts) };
    });
  }

  async end() {
    for (const handle of this.handles) await handle?.close();
  }
}
