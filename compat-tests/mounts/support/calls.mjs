// Calls of every kind on a mount, each with what it is to bring once the server answers. For support/stuck-child.mjs,
// which runs as a process of its own.

const sum = async (stream) => {
  let bytes = 0;
  for await (const chunk of stream) bytes += chunk.length;
  return bytes;
};

/** Those that need no file to be there, nor any open: the server may have been gone before the process began. */
export function pathCalls(fs, folder) {
  const p = fs.promises;
  return {
    open: () => p.open(`${folder}/file`, 'r').then((handle) => handle.close()),
    stat: () => p.stat(`${folder}/file`),
    readFile: () => p.readFile(`${folder}/file`),
    writeFile: (i) => p.writeFile(`${folder}/whole-${i}`, 'content'),
    readdir: () => p.readdir(folder),
    unlink: (i) => p.unlink(`${folder}/remove-${i}`),
    createReadStream: () => sum(fs.createReadStream(`${folder}/file`)),
  };
}

/** What the calls are about, made while the server answers. Returns them by their kind: a function of a number. */
export async function prepare(fs, folder, count) {
  const p = fs.promises;
  const each = (work) => Promise.all(Array.from({ length: count }, (_, i) => work(i)));
  await p.mkdir(`${folder}/folder`);
  await p.writeFile(`${folder}/file`, 'content of the file');
  await p.writeFile(`${folder}/large`, Buffer.alloc(300_000, 'l'));
  await p.symlink('file', `${folder}/link`);
  await each(async (i) => {
    for (const kind of ['remove', 'rename', 'chmod', 'truncate', 'append'])
      await p.writeFile(`${folder}/${kind}-${i}`, 'x');
  });
  const reader = await p.open(`${folder}/file`, 'r');
  const writer = await p.open(`${folder}/written`, 'w+');
  const streamed = await p.open(`${folder}/large`, 'r');
  const closed = await each((i) => p.open(`${folder}/chmod-${i}`, 'r'));
  const numbers = await each(() => fs.openSync(`${folder}/file`, 'r'));
  const callback = (call) =>
    new Promise((resolve, reject) => call((error, value) => (error ? reject(error) : resolve(value))));
  return {
    open: async () => {
      const handle = await p.open(`${folder}/file`, 'r');
      await handle.close();
      return 'opened';
    },
    create: async (i) => {
      const handle = await p.open(`${folder}/created-${i}`, 'wx');
      await handle.close();
      return 'opened';
    },
    stat: async () => (await p.stat(`${folder}/file`)).size,
    lstat: async () => (await p.lstat(`${folder}/link`)).isSymbolicLink(),
    access: () => p.access(`${folder}/file`),
    exists: () => new Promise((resolve) => fs.exists(`${folder}/file`, resolve)),
    readFile: () => p.readFile(`${folder}/file`, 'utf8'),
    writeFile: async (i) => {
      await p.writeFile(`${folder}/whole-${i}`, `whole ${i}`);
      return (await p.readFile(`${folder}/whole-${i}`, 'utf8')) === `whole ${i}`;
    },
    appendFile: (i) => p.appendFile(`${folder}/append-${i}`, 'y'),
    readdir: async () => (await p.readdir(`${folder}/folder`)).length,
    readlink: () => p.readlink(`${folder}/link`),
    realpath: async () => (await p.realpath(`${folder}/link`)).endsWith('/file'),
    unlink: (i) => p.unlink(`${folder}/remove-${i}`),
    rename: (i) => p.rename(`${folder}/rename-${i}`, `${folder}/renamed-${i}`),
    mkdir: (i) => p.mkdir(`${folder}/made-${i}/below`, { recursive: true }).then((made) => made.endsWith(`made-${i}`)),
    chmod: (i) => p.chmod(`${folder}/chmod-${i}`, 0o600),
    truncate: (i) => p.truncate(`${folder}/truncate-${i}`, 0),
    'FileHandle.read': async () => (await reader.read(Buffer.alloc(7), 0, 7, 0)).buffer.toString(),
    'FileHandle.write': async (i) => (await writer.write(Buffer.from('written'), 0, 7, i * 7)).bytesWritten,
    'FileHandle.stat': async () => (await reader.stat()).size,
    'FileHandle.close': (i) => closed[i].close(),
    'fs.read': (i) => callback((done) => fs.read(numbers[i], Buffer.alloc(7), 0, 7, 0, done)),
    createReadStream: () => sum(fs.createReadStream(`${folder}/large`)),
    'FileHandle.createReadStream': () => sum(streamed.createReadStream({ start: 0, end: 99_999, autoClose: false })),
    createWriteStream: (i) =>
      new Promise((resolve, reject) => {
        const stream = fs.createWriteStream(`${folder}/stream-${i}`);
        stream.on('error', reject).on('close', () => resolve(stream.bytesWritten));
        stream.end('streamed');
      }),
  };
}

/** What each brings. */
export const RESULTS = {
  open: 'opened',
  create: 'opened',
  stat: 19,
  lstat: true,
  exists: true,
  readFile: 'content of the file',
  writeFile: true,
  readdir: 0,
  readlink: 'file',
  realpath: true,
  mkdir: true,
  'FileHandle.read': 'content',
  'FileHandle.write': 7,
  'FileHandle.stat': 19,
  'fs.read': 7,
  createReadStream: 300_000,
  'FileHandle.createReadStream': 100_000,
  createWriteStream: 8,
};
