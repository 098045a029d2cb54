// Every asynchronous function of the surface, while libuv's pool serves nothing. Run with UV_THREADPOOL_SIZE=1 in an
// empty folder, on the module that is the argument: `import`, or node:fs itself, with or without ioengine/register.
// Prints what has ended, what has not, and whether the pool was blocked all the time.
const { randomBytes } = require('node:crypto');
const { execFileSync } = require('node:child_process');
const nodeFs = require('node:fs');
const { setTimeout: sleep } = require('node:timers/promises');

const [, , side, deadlineMs] = process.argv;
const fs = require(side === 'import' ? 'ioengine/fs' : 'node:fs');
const promises = require(side === 'import' ? 'ioengine/fs/promises' : 'node:fs/promises');

let made = 0;
const name = () => `made-${++made}`;
const file = () => {
  const path = name();
  nodeFs.writeFileSync(path, 'some\nlines\n');
  return path;
};
const folder = () => {
  const path = name();
  nodeFs.mkdirSync(`${path}/inner/most`, { recursive: true });
  for (const entry of ['1', '2', 'inner/3']) nodeFs.writeFileSync(`${path}/${entry}`, '');
  return path;
};
const link = () => {
  const path = name();
  nodeFs.symlinkSync(file(), path);
  return path;
};
const descriptor = () => nodeFs.openSync(file(), 'r+');

const called = (function_, ...args) =>
  new Promise((resolve, reject) => {
    function_(...args, (error, value) => (error instanceof Error ? reject(error) : resolve(value)));
  });

async function readAll(iterable) {
  const items = [];
  for await (const item of iterable) items.push(item);
  return items;
}

async function throughDir(dir) {
  await dir.read();
  await called(dir.read.bind(dir));
  await readAll(dir);
}

const { uid, gid } = nodeFs.statSync('.');
const all = { recursive: true };

/** The arguments of functions that both modules have, without what is special about each. */
const PATHS = {
  access: () => [file()],
  appendFile: () => [file(), 'more'],
  chmod: () => [file(), 0o600],
  chown: () => [file(), uid, gid],
  copyFile: () => [file(), name()],
  cp: () => [folder(), name(), all],
  lchown: () => [link(), uid, gid],
  link: () => [file(), name()],
  lstat: () => [link()],
  lutimes: () => [link(), 1, 2],
  mkdir: () => [`${name()}/below`, all],
  mkdtemp: () => [name()],
  readFile: () => [file()],
  readdir: () => [folder()],
  readlink: () => [link()],
  realpath: () => [link()],
  rename: () => [file(), name()],
  rm: () => [folder(), all],
  rmdir: () => [`${folder()}/inner/most`],
  stat: () => [file()],
  statfs: () => ['.'],
  symlink: () => ['anywhere', name()],
  truncate: () => [file(), 1],
  unlink: () => [file()],
  utimes: () => [file(), 1, 2],
  writeFile: () => [name(), 'content'],
};

const DESCRIPTORS = {
  close: () => [],
  fchmod: () => [0o600],
  fchown: () => [uid, gid],
  fdatasync: () => [],
  fstat: () => [],
  fsync: () => [],
  ftruncate: () => [1],
  futimes: () => [1, 2],
  read: () => [Buffer.alloc(4), 0, 4, 0],
  readv: () => [[Buffer.alloc(4)], 0],
  write: () => [Buffer.from('text'), 0, 4, 0],
  writev: () => [[Buffer.from('text')], 0],
};

const HANDLES = {
  appendFile: ['more'],
  chmod: [0o600],
  chown: [uid, gid],
  datasync: [],
  read: [Buffer.alloc(4), 0, 4, 0],
  readFile: [],
  readv: [[Buffer.alloc(4)], 0],
  stat: [],
  sync: [],
  truncate: [2],
  utimes: [1, 2],
  write: [Buffer.from('text'), 0, 4, 0],
  writeFile: ['content'],
  writev: [[Buffer.from('text')], 0],
};

const handleCalls = {
  ...Object.fromEntries(Object.entries(HANDLES).map(([method, args]) => [method, (handle) => handle[method](...args)])),
  readLines: (handle) => readAll(handle.readLines({ autoClose: false })),
  createReadStream: (handle) => readAll(handle.createReadStream({ autoClose: false })),
  createWriteStream: (handle) => called((done) => handle.createWriteStream().end('text', done)),
  readableWebStream: (handle) => readAll(handle.readableWebStream({ type: 'bytes' })),
};

async function withHandle(call) {
  const handle = await promises.open(file(), 'r+');
  await call(handle);
  await handle.close();
}

const CALLS = {
  ...Object.fromEntries(
    Object.entries(PATHS).flatMap(([method, args]) => [
      [`fs.${method}`, () => called(fs[method], ...args())],
      [`promises.${method}`, () => promises[method](...args())],
    ]),
  ),
  ...Object.fromEntries(
    Object.entries(DESCRIPTORS).map(([method, args]) => [
      `fs.${method}`,
      () => called(fs[method], descriptor(), ...args()),
    ]),
  ),
  ...Object.fromEntries(
    Object.entries(handleCalls).map(([method, call]) => [`FileHandle.${method}`, () => withHandle(call)]),
  ),
  'fs.open': () => called(fs.open, file()),
  'promises.open': () => withHandle(() => {}),
  'fs.exists': () => called(fs.exists, file()),
  'fs.opendir': async () => throughDir(await called(fs.opendir, folder())),
  'promises.opendir': async () => throughDir(await promises.opendir(folder())),
  'fs.realpath.native': () => called(fs.realpath.native, link()),
  'fs.readdir of a tree': () => called(fs.readdir, folder(), all),
  'promises.readdir of a tree': () => promises.readdir(folder(), { ...all, withFileTypes: true }),
  'promises.cp with a filter': () =>
    promises.cp(folder(), name(), { ...all, filter: () => true, preserveTimestamps: true, dereference: true }),
  'fs.cp of a file': () => called(fs.cp, file(), name()),
  'promises.rm that has to try again': () => promises.rm(name(), { ...all, force: true, maxRetries: 1 }),
  'fs.createReadStream': () => readAll(fs.createReadStream(file())),
  'fs.createWriteStream': () => called((done) => fs.createWriteStream(name()).end('text', done)),
};
// Not every version has these.
if (fs.glob) {
  CALLS['fs.glob'] = () => called(fs.glob, `${folder()}/**`);
  CALLS['promises.glob'] = () => readAll(promises.glob(`${folder()}/**`));
}
if (promises.mkdtempDisposable) {
  CALLS['promises.mkdtempDisposable'] = async () => (await promises.mkdtempDisposable(name())).remove();
}

/** Waits in libuv's pool for ever: nobody opens the other end. */
function block() {
  execFileSync('mkfifo', ['fifo']);
  const { FSReqCallback, open } = process.binding('fs');
  open('fifo', nodeFs.constants.O_RDONLY, 0, Object.assign(new FSReqCallback(), { oncomplete() {} }));
}

async function main() {
  block();
  let served = false;
  randomBytes(1, () => {
    served = true;
  });
  const waiting = new Set(Object.keys(CALLS));
  const errors = {};
  const calls = Object.entries(CALLS).map(async ([call, run]) => {
    await run().catch((error) => {
      errors[call] = error.stack;
    });
    waiting.delete(call);
  });
  await Promise.race([Promise.all(calls), sleep(Number(deadlineMs))]);
  console.log(JSON.stringify({ calls: Object.keys(CALLS), waiting: [...waiting], errors, served }));
  process.kill(process.pid, 'SIGKILL'); // the blocked thread would hold the end of the process
}

main();
