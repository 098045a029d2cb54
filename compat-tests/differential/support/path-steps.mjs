// Random steps on the paths of a small tree: files, directories, links that lead somewhere, nowhere and in circles.
import fs from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { attempt, attemptCallback } from '../../helpers/compare.mjs';
import { patternText } from '../../helpers/tempdir.mjs';

const NAMES = [
  'a',
  'b',
  'd',
  'd/x',
  'd/e',
  'd/e/y',
  'f',
  'f/g/h',
  'link',
  'link/x',
  'loop',
  'dangling',
  'ünï',
  '.',
  'd/',
  'd/../a',
];

const name = fc.constantFrom(...NAMES);
const form = fc.constantFrom('string', 'string', 'string', 'buffer', 'url');
const api = fc.constantFrom('promise', 'promise', 'callback');
const optional = (arbitrary) => fc.option(arbitrary, { nil: undefined });
const encoding = optional(fc.constantFrom('utf8', 'buffer', 'latin1', 'hex', { encoding: 'buffer' }));
const size = fc.oneof(fc.nat(300), fc.constantFrom(0, 4096, 70_000, 200_000));
const mode = fc.constantFrom(0o777, 0o700, 0o640, 0o444, '755');
const flag = (values) => fc.record(values, { requiredKeys: [] });
const bool = fc.boolean();

const streamFlags = fc.constantFrom('w', 'wx', 'a', 'r+');

/** Functions of one path: what may follow it. */
const onOnePath = {
  stat: [optional(flag({ bigint: bool }))],
  lstat: [optional(flag({ bigint: bool }))],
  access: [optional(fc.nat(7))],
  readdir: [optional(fc.oneof(encoding, flag({ withFileTypes: bool, recursive: bool })))],
  readlink: [encoding],
  realpath: [encoding],
  mkdir: [optional(fc.oneof(flag({ recursive: bool, mode }), mode))],
  rmdir: [],
  unlink: [],
  rm: [optional(flag({ recursive: bool, force: bool }))],
  truncate: [optional(size)],
  chmod: [mode],
  chown: [fc.constantFrom(0, -1), fc.constantFrom(0, -1)],
  lchown: [fc.constantFrom(0, -1), fc.constantFrom(0, -1)],
  utimes: [fc.constantFrom(0, 1, 1e9, '17'), fc.constantFrom(1, 1e9)],
  lutimes: [fc.constantFrom(0, 1e9), fc.constantFrom(1, 1e9)],
  readFile: [
    optional(fc.oneof(fc.constantFrom('utf8', 'latin1', 'base64'), flag({ flag: fc.constantFrom('r', 'a+', 'rs') }))),
  ],
  writeFile: [
    size.map((length) => patternText(length, length + 1)),
    optional(flag({ flag: fc.constantFrom('w', 'wx', 'a', 'r+'), mode, flush: bool })),
  ],
  appendFile: [size.map((length) => patternText(length, length + 2)), optional(flag({ mode }))],
};

/** Functions of two paths. */
const onTwoPaths = {
  rename: [],
  link: [],
  copyFile: [optional(fc.constantFrom(0, fs.constants.COPYFILE_EXCL, fs.constants.COPYFILE_FICLONE))],
  cp: [
    optional(
      flag({
        recursive: bool,
        force: bool,
        errorOnExist: bool,
        dereference: bool,
        verbatimSymlinks: bool,
        preserveTimestamps: bool,
      }),
    ),
  ],
};

/** More often than the others: what the steps need to have something to work on. */
const WEIGHTS = { writeFile: 4, mkdir: 4, readdir: 4, stat: 3, lstat: 2, readFile: 3, rm: 2, cp: 2, rmdir: 1 };

const call = (names, from) =>
  Object.entries(from).map(([operation, rest]) => ({
    weight: WEIGHTS[operation] ?? 1,
    arbitrary: fc.record({ do: fc.constant(operation), ...names, form, api, rest: fc.tuple(...rest) }),
  }));

/** One random step, as data, so that a failing case can be printed and shrunk. */
export const pathStep = fc.oneof(
  ...call({ name }, onOnePath),
  ...call({ name, to: name }, onTwoPaths),
  { weight: 2, arbitrary: fc.record({ do: fc.constant('symlink'), target: name, absolute: bool, name, api }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('exists'), name, form }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('opendir'), name, form, bufferSize: fc.constantFrom(1, 2, 32) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('handle'), name, length: size }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('several'), name, api }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('mkdtemp'), name, api }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('statfs'), name, api }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('streams'), name, length: size, flags: streamFlags }) },
);

const withoutTrailing = (list) => list.slice(0, list.findLastIndex((value) => value !== undefined) + 1);

/** Functions whose answer names the directory of the side, which the comparison has to find in it. */
const PATHS_BACK = ['realpath', 'readlink'];

function legible(value) {
  if (Buffer.isBuffer(value)) return { buffer: value.toString() };
  if (typeof value === 'string' && /^(?:[0-9a-f]{2})+$/.test(value))
    return { hex: Buffer.from(value, 'hex').toString() };
  return value;
}

const thenShow = (promise, show) => (promise instanceof Promise ? promise.then(show) : promise);

function orFalse(test) {
  try {
    return test();
  } catch {
    return false;
  }
}

/** The stats, or the code of the error. */
function leadsTo(path) {
  try {
    return fs.statSync(path);
  } catch (error) {
    return error.code;
  }
}

/** Before Node 26 a recursive readdir cannot join a Buffer; what it throws in its own callback nobody can catch. */
const joinsBuffers = orFalse(() => {
  const above = fileURLToPath(new URL('..', import.meta.url));
  return fs.readdirSync(Buffer.from(above), { recursive: true }).length > 0;
});

/** What mkdtemp says of a name that it could not make. */
const withoutRandom = (seen) => JSON.parse(JSON.stringify(seen).replace(/(?<=-)\w{6}(?=['"\\])/g, 'XXXXXX'));

/** One side of the comparison: runs steps below a directory of its own. */
export class PathSteps {
  constructor(side, dir) {
    this.side = side;
    this.dir = dir;
  }

  /** One level down, so that the top can be removed, too. */
  async begin() {
    fs.mkdirSync(this.path('d/e'), { recursive: true });
    fs.writeFileSync(this.path('a'), patternText(5000, 1));
    fs.writeFileSync(this.path('d/x'), patternText(100, 2));
    fs.writeFileSync(this.path('d/e/y'), '');
    fs.symlinkSync('d', this.path('link'));
    fs.symlinkSync('loop', this.path('loop'));
    fs.symlinkSync('nowhere', this.path('dangling'));
  }

  path(relative) {
    return `${this.dir}/top/${relative}`;
  }

  shaped(relative, shape) {
    if (shape === 'buffer') return Buffer.from(this.path(relative));
    return shape === 'url' ? pathToFileURL(this.path(relative)) : this.path(relative);
  }

  call(given, ...paths) {
    const { do: operation, api: how } = given;
    const args = [...paths, ...withoutTrailing(given.rest ?? [])];
    const show = PATHS_BACK.includes(operation) ? legible : (value) => value;
    if (how === 'promise') return attempt(() => thenShow(this.side.fsp[operation](...args), show), this.dir);
    return attemptCallback((done) => {
      const shown = function (...values) {
        done.apply(this, values.map(show));
      };
      return this.side.fs[operation](...args, shown);
    }, this.dir);
  }

  run(given) {
    const uncaught = given.do === 'readdir' && given.api === 'callback' && given.form === 'buffer';
    if (uncaught && given.rest[0]?.recursive && !joinsBuffers) return 'nobody could catch it';
    const walks = given.rest?.at(-1)?.recursive === true;
    if (walks && given.do === 'readdir' && this.isEndless()) return 'too many ways';
    if (given.do in onOnePath) return this.call(given, this.shaped(given.name, given.form));
    if (given.do === 'cp' && !fs.existsSync(this.path(given.name))) return 'nothing to copy';
    if (walks && given.do === 'cp' && this.isWide()) return 'too many ways';
    if (walks && given.rest[0].dereference && this.failsTwice(given.name, given.to)) return 'either error may be first';
    if (given.do in onTwoPaths)
      return this.call(given, this.shaped(given.name, given.form), this.shaped(given.to, given.form));
    return this[given.do](given);
  }

  /**
   * cp looks at a name in the source and in the target at once, and says what it hears first: which of two errors that
   * is nobody knows. In the source it is a link that leads nowhere, in the target a circle or a file in the place of a
   * folder.
   */
  failsTwice(from, to) {
    const [source, target] = [leadsTo(this.path(from)), leadsTo(this.path(to))];
    if (typeof source === 'string') return typeof target === 'string' && target !== 'ENOENT';
    if (!source.isDirectory()) return false;
    return fs.readdirSync(this.path(from)).some((name) => this.failsTwice(`${from}/${name}`, `${to}/${name}`));
  }

  /** Copies of copies double, and so do copies of what links lead to. */
  isWide() {
    const { entries, links } = this.walk(200, false);
    return entries > 200 || links > 1;
  }

  /** A recursive readdir may follow links: two to directories above them are 2^40 ways before ELOOP ends each. */
  isEndless() {
    return this.walk(1000, true).entries > 1000;
  }

  walk(entriesMax, followsLinks) {
    const pending = [this.dir];
    let [entries, links] = [0, 0];
    while (pending.length > 0 && entries <= entriesMax) {
      const at = pending.pop();
      for (const entry of fs.readdirSync(at, { withFileTypes: true })) {
        const path = `${at}/${entry.name}`;
        const leadsToDirectory = entry.isSymbolicLink() && orFalse(() => fs.statSync(path).isDirectory());
        if (entry.isDirectory() || (leadsToDirectory && followsLinks)) pending.push(path);
        if (leadsToDirectory) links++;
        entries++;
      }
    }
    return { entries, links };
  }

  symlink(given) {
    return this.call(given, given.absolute ? this.path(given.target) : given.target, this.path(given.name));
  }

  exists({ name: relative, form: shape }) {
    return attemptCallback((done) => this.side.fs.exists(this.shaped(relative, shape), done), this.dir);
  }

  /** The kernel gives the entries in an order of its own. */
  opendir({ name: relative, form: shape, bufferSize }) {
    return attempt(async () => {
      const found = [];
      const directory = await this.side.fsp.opendir(this.shaped(relative, shape), { bufferSize });
      for await (const entry of directory) found.push(`${entry.name} ${entry.isDirectory()} ${entry.isSymbolicLink()}`);
      return found.sort();
    }, this.dir);
  }

  /** One FileHandle from its opening to its close. */
  handle({ name: relative, length }) {
    return attempt(async () => {
      const handle = await this.side.fsp.open(this.path(relative), 'r+');
      try {
        const before = await handle.stat();
        await handle.truncate(length);
        await handle.chmod(0o600);
        const after = await handle.stat({ bigint: true });
        return { before, after, content: await handle.readFile() };
      } finally {
        await handle.close();
      }
    }, this.dir);
  }

  /** Calls that are in flight together and do not disturb each other. */
  several({ name: relative, api: how }) {
    const operations = ['stat', 'lstat', 'readlink', 'readdir', 'readFile', 'access', 'realpath'];
    return Promise.all(operations.map((operation) => this.call({ do: operation, api: how }, this.path(relative))));
  }

  /** The name is random, so it is gone again before the next step sees it. */
  mkdtemp({ name: relative, api: how }) {
    const prefix = `${this.path(relative)}-`;
    return attempt(async () => {
      const made =
        how === 'promise'
          ? await this.side.fsp.mkdtemp(prefix)
          : await new Promise((resolve, reject) =>
              this.side.fs.mkdtemp(prefix, (error, value) => (error ? reject(error) : resolve(value))),
            );
      const { mode } = fs.statSync(made);
      fs.rmdirSync(made);
      return [made.startsWith(prefix), made.length - prefix.length, mode];
    }, this.dir).then((seen) => withoutRandom(seen));
  }

  /** Others use the filesystem, too: what they do not change. */
  async statfs({ name: relative, api: how }) {
    const show = ({ type, bsize, blocks }) => ({ type, bsize, blocks });
    if (how === 'promise') return attempt(async () => show(await this.side.fsp.statfs(this.path(relative))), this.dir);
    return attemptCallback((done) => {
      this.side.fs.statfs(this.path(relative), (error, found) => (error ? done(error) : done(null, show(found))));
    }, this.dir);
  }

  /** A file written and read by streams: their events in order, and what was read. */
  async streams({ name: relative, length, flags }) {
    const path = this.path(relative);
    const written = await this.events(this.side.fs.createWriteStream(path, { flags }), (stream) => {
      const text = patternText(length, length + 3);
      for (let at = 0; at < length; at += 50_000) stream.write(text.slice(at, at + 50_000));
      stream.end();
    });
    const parts = [];
    const read = await this.events(this.side.fs.createReadStream(path, 'latin1'), (stream) => {
      stream.on('data', (part) => parts.push(part));
    });
    return { written, read, text: parts.join('') };
  }

  events(stream, use) {
    const seen = [];
    for (const name of ['open', 'ready', 'finish', 'end']) stream.on(name, () => seen.push(name));
    return attempt(async () => {
      await new Promise((resolve, reject) => {
        stream.on('error', reject).on('close', resolve);
        use(stream);
      });
      return [seen, stream.bytesWritten ?? stream.bytesRead];
    }, this.dir);
  }

  async end() {}
}
