// Calls of every function on a mount whose server stops: what the engine says of them meanwhile. The test says on
// standard input what happens next; each line of the output answers one word.
//
//   node in-flight-child.mjs MOUNT
import { subscribe } from 'node:diagnostics_channel';
import { createInterface } from 'node:readline';
import { inFlight, stats } from 'ioengine';
import fs from 'ioengine/fs';

const [mount] = process.argv.slice(2);
const p = fs.promises;
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const say = (value) => console.log(JSON.stringify(value));
const at = (name) => `${mount}/${name}`;
const slow = [];

/** What is there before the server stops: a file for each call, and open ones for those on descriptors. */
async function prepare() {
  const onFiles = ['read', 'readv', 'write', 'writev', 'fsync', 'fdatasync', 'ftruncate', 'fstat', 'fchmod', 'fchown'];
  const handles = {};
  for (const name of [...onFiles, 'futimes', 'close']) {
    await p.writeFile(at(name), 'content');
    handles[name] = await p.open(at(name), 'r+');
  }
  await p.mkdir(at('Dir.read'));
  return { handles, directory: await p.opendir(at('Dir.read')) };
}

/** By the name that each is to be listed under; the path is the mount and that name, unless `at` says another. */
function callsOn({ handles, directory }) {
  const two = (name) => [at(name), at(`${name}-target`)];
  const memory = () => Buffer.alloc(8);
  return {
    open: () => p.open(at('open')),
    stat: () => p.stat(at('stat')),
    lstat: () => p.lstat(at('lstat')),
    access: () => p.access(at('access')),
    readFile: () => p.readFile(at('readFile')),
    writeFile: () => p.writeFile(at('writeFile'), 'x'),
    appendFile: () => p.appendFile(at('appendFile'), 'x'),
    readdir: () => p.readdir(at('readdir')),
    opendir: () => p.opendir(at('opendir')),
    'Dir.read': () => directory.read(),
    unlink: () => p.unlink(at('unlink')),
    rm: () => p.rm(at('rm'), { recursive: true }),
    rmdir: () => p.rmdir(at('rmdir')),
    mkdir: () => p.mkdir(at('mkdir')),
    mkdtemp: () => p.mkdtemp(at('mkdtemp')),
    truncate: () => p.truncate(at('truncate'), 1),
    chmod: () => p.chmod(at('chmod'), 0o600),
    chown: () => p.chown(at('chown'), 0, 0),
    lchown: () => p.lchown(at('lchown'), 0, 0),
    utimes: () => p.utimes(at('utimes'), 1, 1),
    lutimes: () => p.lutimes(at('lutimes'), 1, 1),
    readlink: () => p.readlink(at('readlink')),
    realpath: () => p.realpath(at('realpath')),
    statfs: () => p.statfs(at('statfs')),
    rename: () => p.rename(...two('rename')),
    link: () => p.link(...two('link')),
    symlink: () => p.symlink('anywhere', at('symlink')),
    copyFile: () => p.copyFile(...two('copyFile')),
    cp: () => p.cp(...two('cp'), { recursive: true }),
    read: () => handles.read.read(memory(), 0, 8, 0),
    readv: () => handles.readv.readv([memory(), memory()], 0),
    write: () => handles.write.write(memory(), 0, 8, 0),
    writev: () => handles.writev.writev([memory(), memory()], 0),
    fsync: () => handles.fsync.sync(),
    fdatasync: () => handles.fdatasync.datasync(),
    ftruncate: () => handles.ftruncate.truncate(1),
    fstat: () => handles.fstat.stat(),
    fchmod: () => handles.fchmod.chmod(0o600),
    fchown: () => handles.fchown.chown(0, 0),
    futimes: () => handles.futimes.utimes(1, 1),
    close: () => handles.close.close(),
  };
}

const calls = callsOn(await prepare());
const running = [];
const start = (call) => running.push(call().catch((error) => error.code));

const commands = {
  subscribe: () => subscribe('ioengine:slow', (message) => slow.push(message)),
  start: () => {
    for (const call of Object.values(calls)) start(call);
    return Object.keys(calls);
  },
  list: () => inFlight(),
  older: (ms) => inFlight({ olderThanMs: Number(ms) }).length,
  refused: () => {
    try {
      return inFlight({ olderThanMs: -1 });
    } catch (error) {
      return `${error.name}: ${error.message}`;
    }
  },
  slow: () => slow,
  kinds: () => stats().kinds,
  /** Milliseconds until the rejection, its name, and what is listed of the call then. */
  abort: async () => {
    const started = performance.now();
    const rejected = await p.readFile(at('aborted'), { signal: AbortSignal.timeout(20) }).catch((error) => error.name);
    const listed = inFlight().filter(({ path }) => path === at('aborted'));
    return { rejected, ms: performance.now() - started, listed: listed.length };
  },
  aborted: () => inFlight().filter(({ path }) => path === at('aborted')).length,
  settle: async () => (await Promise.all(running)).length,
};

say('ready');
for (;;) {
  const { value, done } = await lines.next();
  if (done) break;
  const [word, argument] = value.split(' ');
  say((await commands[word](argument)) ?? null);
}
