// Files on a mount that someone else serves are the engine's, and behave as with node:fs on the same mount: the same
// program runs with both, and has to say the same. Red when a result differs, or when a call was handed to node:fs and
// so to libuv's few threads.
import nodeFs from 'node:fs';
import { expect } from 'chai';
import { stats } from 'ioengine';
import engineFs from 'ioengine/fs';
import { skip } from '../helpers/backend.mjs';
import { openRemoteMount } from '../helpers/remote-mount.mjs';

const outcome = async (work) => {
  try {
    const value = await work();
    return Buffer.isBuffer(value) ? value.toString('latin1') : value;
  } catch (error) {
    return `${error.code} ${error.syscall} ${error.path?.split('/').at(-1)}`;
  }
};
const drain = async (stream) => {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString('latin1');
};

/** Each step's result, in order; every one leaves something behind for those that come later. */
const STEPS = {
  'writeFile, readFile': async ({ p, at }) => [await p.writeFile(at('a'), 'first'), await p.readFile(at('a'), 'utf8')],
  appendFile: async ({ p, at }) => [await p.appendFile(at('a'), ' second'), await p.readFile(at('a'), 'utf8')],
  truncate: async ({ p, at }) => [await p.truncate(at('a'), 3), await p.readFile(at('a'), 'utf8')],
  stat: async ({ p, at }) => {
    const { size, mode, nlink, uid } = await p.stat(at('a'));
    return { size, mode, nlink, uid };
  },
  'stat of what is not there': ({ p, at }) => p.stat(at('none')),
  'readFile of a directory': ({ p, at }) => p.readFile(at('')),
  'readFile of an empty file': async ({ p, at }) => [
    await p.writeFile(at('empty'), ''),
    await p.readFile(at('empty'), 'utf8'),
  ],
  'readFile of a large file': async ({ p, at }) => {
    await p.writeFile(at('large'), 'abcdefgh'.repeat(50_000));
    return (await p.readFile(at('large'), 'latin1')).length;
  },
  'exclusive open': ({ p, at }) => p.open(at('a'), 'wx'),
  FileHandle: async ({ p, at }) => {
    const handle = await p.open(at('handle'), 'w+');
    const results = [
      (await handle.write(Buffer.from('0123456789'), 0, 10, 0)).bytesWritten,
      (await handle.write('at the position')).bytesWritten,
      (await handle.read(Buffer.alloc(20), 0, 20, 5)).bytesRead,
      (await handle.read(Buffer.alloc(20), 0, 20, 100)).bytesRead,
      (await handle.writev([Buffer.from('one'), Buffer.from('two')], 20)).bytesWritten,
      (await handle.readv([Buffer.alloc(4), Buffer.alloc(4)], 19)).bytesRead,
      (await handle.stat()).size,
      await handle.truncate(12),
      await handle.sync(),
      await handle.datasync(),
      await handle.readFile('utf8'),
      await handle.close(),
    ];
    return [...results, await p.readFile(at('handle'), 'utf8')];
  },
  'reads at the file position': async ({ p, at }) => {
    const handle = await p.open(at('handle'));
    const parts = [];
    for (let i = 0; i < 4; i++) {
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(5), 0, 5, null);
      parts.push(buffer.toString('latin1', 0, bytesRead));
    }
    return [...parts, await handle.close()];
  },
  'appends that are not awaited': async ({ p, at }) => {
    const handle = await p.open(at('log'), 'a');
    await Promise.all(['1', '22', '333', '4444'].map((text) => handle.write(text)));
    // In any order with node.
    return [await handle.close(), (await p.readFile(at('log'), 'utf8')).match(/(.)\1*/g).sort()];
  },
  'write to a file that is open to read': async ({ p, at }) => {
    const handle = await p.open(at('a'));
    const result = await outcome(() => handle.write('x'));
    return [result, await handle.close()];
  },
  O_DIRECT: async ({ fs, p, at }) => {
    const handle = await p.open(at('direct'), fs.constants.O_CREAT | fs.constants.O_RDWR | fs.constants.O_DIRECT);
    const results = [
      (await handle.write(Buffer.alloc(4096, 'd'), 0, 4096, 0)).bytesWritten,
      (await handle.read(Buffer.alloc(6000), 0, 6000, 0)).bytesRead,
    ];
    return [...results, await handle.close()];
  },
  streams: async ({ fs, at }) => {
    const stream = fs.createWriteStream(at('stream'));
    for (let i = 0; i < 50; i++) stream.write(`${i} `.repeat(1000));
    await new Promise((resolve, reject) => stream.on('error', reject).end(resolve));
    return [
      await drain(fs.createReadStream(at('stream'))),
      await drain(fs.createReadStream(at('stream'), { start: 7, end: 99 })),
    ];
  },
  'a stream of what is not there': ({ fs, at }) => drain(fs.createReadStream(at('none'))),
  'numbers of open files': async ({ fs, at }) => {
    const call = (name, ...args) =>
      new Promise((resolve) => fs[name](...args, (error, value) => resolve(error?.code ?? value)));
    const fd = nodeFs.openSync(at('number'), 'w+');
    const results = [
      await call('write', fd, Buffer.from('number'), 0, 6, 0),
      await call('read', fd, Buffer.alloc(4), 0, 4, 1),
      (await call('fstat', fd)).size,
      await call('ftruncate', fd, 2),
      await call('fsync', fd),
      await call('close', fd),
      await call('read', fd, Buffer.alloc(4), 0, 4, 1),
    ];
    return [...results, nodeFs.readFileSync(at('number'), 'utf8')];
  },
  links: async ({ p, at }) => [
    await p.symlink('a', at('link')),
    await p.readlink(at('link')),
    (await p.lstat(at('link'))).isSymbolicLink(),
    (await p.realpath(at('link'))).endsWith('/a'),
    await p.link(at('a'), at('hard')),
    (await p.stat(at('a'))).nlink,
  ],
  'rename, unlink, chmod': async ({ p, at }) => [
    await p.rename(at('hard'), at('renamed')),
    await p.chmod(at('renamed'), 0o640),
    (await p.stat(at('a'))).mode,
    await p.unlink(at('renamed')),
    await outcome(() => p.unlink(at('renamed'))),
    await outcome(() => p.rename(at('none'), at('renamed'))),
  ],
  directories: async ({ p, at }) => [
    (await p.mkdir(at('x/y/z'), { recursive: true })).split('/').at(-1),
    await p.writeFile(at('x/y/file'), 'below'),
    await outcome(() => p.rmdir(at('x'))),
    (await p.readdir(at('x'), { recursive: true })).sort(),
    (await p.readdir(at(''))).sort(),
    (await p.readdir(at('x'), { withFileTypes: true })).map((entry) => [entry.name, entry.isDirectory()]),
    await p.cp(at('x'), at('copy'), { recursive: true }),
    await p.readFile(at('copy/y/file'), 'utf8'),
    await p.rm(at('x'), { recursive: true }),
    await outcome(() => p.access(at('x'))),
  ],
};

async function runAll(fs, folder) {
  nodeFs.mkdirSync(folder);
  const tools = { fs, p: fs.promises, at: (name) => (name === '' ? folder : `${folder}/${name}`) };
  const results = {};
  for (const [name, step] of Object.entries(STEPS)) results[name] = await outcome(() => step(tools));
  return results;
}

describe('a mount that someone else serves', () => {
  let mount;
  before(async function () {
    mount = await openRemoteMount();
    if (mount.skipped) skip(this, mount.skipped);
  });
  after(() => {
    if (mount !== undefined && !mount.skipped) mount.close();
  });

  it('behaves as with node:fs, and no call is handed to it', async () => {
    const before = stats().lanes;
    const ours = await runAll(engineFs, `${mount.mountPoint}/same`);
    const { delegated, threads, uring, aio } = stats().lanes;
    nodeFs.rmSync(`${mount.mountPoint}/same`, { recursive: true });
    const nodes = await runAll(nodeFs, `${mount.mountPoint}/same`);
    for (const name of Object.keys(STEPS)) expect(ours[name], name).to.deep.equal(nodes[name]);
    expect(threads.operations - before.threads.operations).to.be.above(50);
    expect({ uring: uring.operations, aio: aio.operations }).to.deep.equal({
      uring: before.uring.operations,
      aio: before.aio.operations,
    });
    // The number that is no open file any more, and the directory that is read as a file: errors, which are node's.
    expect(delegated.operations - before.delegated.operations, 'handed to node:fs').to.be.at.most(2);
  });
});
