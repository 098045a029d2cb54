// The public API, one operation or a few at a time: what each does, and what may have become of the files when a part
// of it has failed. `run` gets a module like node:fs and a folder with the files of `prepare`; what it returns is
// compared with what node:fs returns there.
import nodeFs from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { patternBytes } from '../../helpers/tempdir.mjs';

export const CONTENT = patternBytes(300_000, 7);
export const SMALL = CONTENT.subarray(0, 10_000);
const OTHER = patternBytes(200_000, 9);

/** node:fs, which takes O_DIRECT at aligned places only: what a direct read or write comes to, it says without. */
export const referenceFs = { ...nodeFs, constants: { ...nodeFs.constants, O_DIRECT: 0 } };

/** The files that every scenario begins with. */
export function prepare(folder) {
  nodeFs.mkdirSync(path.join(folder, 'tree', 'inner'), { recursive: true });
  nodeFs.writeFileSync(path.join(folder, 'large'), CONTENT);
  nodeFs.writeFileSync(path.join(folder, 'small'), SMALL);
  nodeFs.writeFileSync(path.join(folder, 'tree', 'a'), SMALL);
  nodeFs.writeFileSync(path.join(folder, 'tree', 'inner', 'b'), OTHER);
  nodeFs.symlinkSync('a', path.join(folder, 'tree', 'link'));
}

/** What is there, by its path from the folder: a file's bytes, a link's text, 'folder'. */
export function contentsOf(folder) {
  const found = {};
  for (const name of nodeFs.readdirSync(folder, { recursive: true }).sort()) {
    const file = path.join(folder, name);
    const status = nodeFs.lstatSync(file);
    if (status.isDirectory()) found[name] = 'folder';
    else if (status.isSymbolicLink()) found[name] = `-> ${nodeFs.readlinkSync(file).replace(folder, '')}`;
    else found[name] = nodeFs.readFileSync(file);
  }
  return found;
}

async function withHandle(fs, file, flags, body) {
  const handle = await fs.promises.open(file, flags);
  try {
    return await body(handle);
  } finally {
    await handle.close();
  }
}

/** A callback that is called twice shows: the promise cannot, but the count is looked at behind a few turns. */
export const calledBack = { twice: 0 };

const viaCallback = (call) =>
  new Promise((resolve, reject) => {
    let calls = 0;
    call((error, ...values) => {
      if (++calls > 1) calledBack.twice++;
      if (error) reject(error);
      else resolve(values[0]);
    });
  });

const at = (folder, name) => path.join(folder, name);
const TARGETS = { large: CONTENT, small: SMALL };

/** Bytes that were read: as many as the count says, from the place where they were to come from. */
const taken = ({ bytesRead, buffer }, from = 0) => ({
  count: bytesRead,
  at: from,
  bytes: buffer.subarray(0, bytesRead),
});

const reads = {
  async 'handle.read of more than is read at once here'(fs, folder) {
    return withHandle(fs, at(folder, 'large'), 'r', async (handle) =>
      taken(await handle.read(Buffer.alloc(200_000), 0, 200_000, 5), 5),
    );
  },
  async 'handle.read'(fs, folder) {
    return withHandle(fs, at(folder, 'large'), 'r', async (handle) =>
      taken(await handle.read(Buffer.alloc(70_000), 0, 70_000, 1000), 1000),
    );
  },
  async 'handle.read at the position'(fs, folder) {
    return withHandle(fs, at(folder, 'large'), 'r', async (handle) => {
      const first = await handle.read(Buffer.alloc(5000), 0, 5000, null);
      const second = await handle.read(Buffer.alloc(5000), 0, 5000, null);
      return [taken(first), taken(second, first.bytesRead)];
    });
  },
  async 'handle.readv'(fs, folder) {
    return withHandle(fs, at(folder, 'large'), 'r', async (handle) => {
      const views = [Buffer.alloc(9000), Buffer.alloc(20_001), Buffer.alloc(3)];
      const { bytesRead } = await handle.readv(views, 4096);
      return taken({ bytesRead, buffer: Buffer.concat(views) }, 4096);
    });
  },
  async 'direct reads'(fs, folder) {
    const { constants } = fs;
    return withHandle(fs, at(folder, 'large'), constants.O_RDONLY | constants.O_DIRECT, async (handle) => {
      const parts = await Promise.all(
        [0, 4096, 8192, 100_001].map((from) => handle.read(Buffer.alloc(4096), 0, 4096, from)),
      );
      return parts.map((part, index) => taken(part, [0, 4096, 8192, 100_001][index]));
    });
  },
  async 'many direct reads'(fs, folder) {
    const { constants } = fs;
    const places = Array.from({ length: 24 }, (_, index) => ((index * 7) % 24) * 12_288);
    return withHandle(fs, at(folder, 'large'), constants.O_RDONLY | constants.O_DIRECT, async (handle) => {
      const parts = await Promise.all(places.map((from) => handle.read(Buffer.alloc(4096), 0, 4096, from)));
      return parts.map((part, index) => taken(part, places[index]));
    });
  },
  async 'fs.read'(fs, folder) {
    const fd = await viaCallback((done) => fs.open(at(folder, 'small'), 'r', done));
    const buffer = Buffer.alloc(10_000);
    try {
      const bytesRead = await viaCallback((done) => fs.read(fd, buffer, 0, 10_000, 0, done));
      return taken({ bytesRead, buffer });
    } finally {
      await viaCallback((done) => fs.close(fd, done));
    }
  },
};

const wholes = {
  'readFile of a small file': (fs, folder) => fs.promises.readFile(at(folder, 'small')),
  'readFile of a large file': (fs, folder) => fs.promises.readFile(at(folder, 'large')),
  'readFile with a callback': (fs, folder) => viaCallback((done) => fs.readFile(at(folder, 'small'), 'latin1', done)),
  'handle.readFile': (fs, folder) => withHandle(fs, at(folder, 'large'), 'r', (handle) => handle.readFile()),
  async createReadStream(fs, folder) {
    const chunks = [];
    for await (const chunk of fs.createReadStream(at(folder, 'large'))) chunks.push(chunk);
    return Buffer.concat(chunks);
  },
};

const looks = {
  stat: async (fs, folder) => (await fs.promises.stat(at(folder, 'large'))).size,
  lstat: async (fs, folder) => (await fs.promises.lstat(at(folder, 'tree/link'))).isSymbolicLink(),
  'handle.stat': (fs, folder) => withHandle(fs, at(folder, 'small'), 'r', async (handle) => (await handle.stat()).size),
  'fs.stat': async (fs, folder) => (await viaCallback((done) => fs.stat(at(folder, 'small'), done))).size,
  'fs.access': (fs, folder) => viaCallback((done) => fs.access(at(folder, 'small'), done)),
  access: (fs, folder) => fs.promises.access(at(folder, 'small')),
  'readdir, types and all below': async (fs, folder) => {
    const found = await fs.promises.readdir(at(folder, 'tree'), { withFileTypes: true, recursive: true });
    return found.map((entry) => `${entry.name} ${entry.isDirectory()}`).sort();
  },
  readdir: async (fs, folder) => (await fs.promises.readdir(at(folder, 'tree'))).sort(),
  readlink: (fs, folder) => fs.promises.readlink(at(folder, 'tree/link')),
  realpath: async (fs, folder) => path.relative(folder, await fs.promises.realpath(at(folder, 'tree/link'))),
};

/** Each with what it may leave behind when it fails: `touches` are the names that may differ from before. */
const changes = {
  'writeFile of a small file': {
    touches: ['new'],
    run: (fs, folder) => fs.promises.writeFile(at(folder, 'new'), SMALL, { flush: true }),
  },
  'writeFile of a large file': {
    touches: ['new'],
    run: (fs, folder) => fs.promises.writeFile(at(folder, 'new'), Buffer.concat(Array(8).fill(CONTENT))),
  },
  'fs.writeFile': {
    touches: ['new'],
    run: (fs, folder) => viaCallback((done) => fs.writeFile(at(folder, 'new'), 'text', done)),
  },
  appendFile: { touches: ['small'], run: (fs, folder) => fs.promises.appendFile(at(folder, 'small'), OTHER) },
  'handle.write': {
    touches: ['small'],
    run: (fs, folder) =>
      withHandle(fs, at(folder, 'small'), 'r+', async (handle) => {
        const { bytesWritten } = await handle.write(OTHER, 0, 50_000, 500);
        await handle.sync();
        return bytesWritten;
      }),
  },
  'handle.write at the position': {
    touches: ['small'],
    run: (fs, folder) =>
      withHandle(fs, at(folder, 'small'), 'r+', async (handle) => {
        const first = await handle.write(OTHER, 0, 3000, null);
        const second = await handle.write(OTHER, 3000, 3000, null);
        await handle.datasync();
        return [first.bytesWritten, second.bytesWritten];
      }),
  },
  'handle.writev': {
    touches: ['small'],
    run: (fs, folder) =>
      withHandle(fs, at(folder, 'small'), 'r+', async (handle) => {
        const views = [OTHER.subarray(0, 6000), OTHER.subarray(6000, 6001), OTHER.subarray(6001, 20_000)];
        return (await handle.writev(views, 100)).bytesWritten;
      }),
  },
  'direct writes': {
    touches: ['large'],
    run: (fs, folder) =>
      withHandle(fs, at(folder, 'large'), fs.constants.O_RDWR | fs.constants.O_DIRECT, async (handle) => {
        const places = [0, 4096, 8192, 20_480];
        const done = await Promise.all(places.map((from) => handle.write(OTHER, from, 4096, from)));
        const last = await handle.write(OTHER, 0, 777, 290_001);
        return [...done, last].map(({ bytesWritten }) => bytesWritten);
      }),
  },
  truncate: { touches: ['large'], run: (fs, folder) => fs.promises.truncate(at(folder, 'large'), 1234) },
  'handle.truncate': {
    touches: ['large'],
    run: (fs, folder) => withHandle(fs, at(folder, 'large'), 'r+', (handle) => handle.truncate(777)),
  },
  createWriteStream: {
    touches: ['new'],
    async run(fs, folder) {
      const stream = fs.createWriteStream(at(folder, 'new'), { flush: true });
      await pipeline([CONTENT.subarray(0, 100_000), CONTENT.subarray(100_000)], stream);
      return stream.bytesWritten;
    },
  },
  'stream to stream': {
    touches: ['new'],
    run: (fs, folder) => pipeline(fs.createReadStream(at(folder, 'large')), fs.createWriteStream(at(folder, 'new'))),
  },
  mkdir: { touches: ['made'], run: (fs, folder) => fs.promises.mkdir(at(folder, 'made')) },
  'mkdir, recursive': {
    touches: ['made', 'made/b', 'made/b/c'],
    run: async (fs, folder) =>
      path.relative(folder, (await fs.promises.mkdir(at(folder, 'made/b/c'), { recursive: true })) ?? folder),
  },
  rename: {
    touches: ['small', 'renamed'],
    run: (fs, folder) => fs.promises.rename(at(folder, 'small'), at(folder, 'renamed')),
  },
  link: { touches: ['linked'], run: (fs, folder) => fs.promises.link(at(folder, 'small'), at(folder, 'linked')) },
  symlink: { touches: ['linked'], run: (fs, folder) => fs.promises.symlink('small', at(folder, 'linked')) },
  unlink: { touches: ['small'], run: (fs, folder) => fs.promises.unlink(at(folder, 'small')) },
  rmdir: {
    touches: ['tree/inner', 'tree/inner/b'],
    async run(fs, folder) {
      await fs.promises.unlink(at(folder, 'tree/inner/b'));
      await fs.promises.rmdir(at(folder, 'tree/inner'));
    },
  },
  chmod: { touches: [], run: (fs, folder) => fs.promises.chmod(at(folder, 'small'), 0o600) },
  chown: {
    touches: [],
    run: (fs, folder) => fs.promises.chown(at(folder, 'small'), process.getuid(), process.getgid()),
  },
  lchown: {
    touches: [],
    run: (fs, folder) => fs.promises.lchown(at(folder, 'tree/link'), process.getuid(), process.getgid()),
  },
  rm: {
    touches: ['tree', 'tree/a', 'tree/link', 'tree/inner', 'tree/inner/b'],
    run: (fs, folder) => fs.promises.rm(at(folder, 'tree'), { recursive: true }),
  },
  cp: {
    touches: ['copy', 'copy/a', 'copy/link', 'copy/inner', 'copy/inner/b'],
    run: (fs, folder) => fs.promises.cp(at(folder, 'tree'), at(folder, 'copy'), { recursive: true }),
  },
};

const TABLES = [
  [reads, 'reads'],
  [wholes, 'whole'],
  [looks, 'looks'],
];

/** Each: its name, its kind, the names that it may touch, and `run(fs, folder)`. */
export const scenarios = [
  ...TABLES.flatMap(([table, kind]) => Object.entries(table).map(([name, run]) => ({ name, kind, touches: [], run }))),
  ...Object.entries(changes).map(([name, change]) => ({ name, kind: 'changes', ...change })),
];

/** Where what was read came from. */
export const sourceOf = (name) => (name === 'fs.read' ? TARGETS.small : TARGETS.large);
