// The callback functions of node:fs that the engine serves, by name, for the module that is put together in fs.ts. Each
// hands plain calls to the engine and all others to node:fs, which raises its own errors. The file of a function is
// loaded by that function's first call: a program pays for what it calls.

const descriptorAttributes = () =>
  require('../descriptor/attribute-changes') as typeof import('../descriptor/attribute-changes');
const close = () => require('./close') as typeof import('./close');
const access = () => require('./access') as typeof import('./access');
const readWrite = () => require('./read-write') as typeof import('./read-write');
const sync = () => require('./fsync-ftruncate') as typeof import('./fsync-ftruncate');
const stat = () => require('./stat') as typeof import('./stat');
const utimes = () => require('./utimes') as typeof import('./utimes');
const writeFile = () => require('./write-file') as typeof import('./write-file');
const pathSyscallFile = () => require('./path-syscalls') as typeof import('./path-syscalls');
const pathSyscalls = () => pathSyscallFile().pathSyscallCallbacks;

export const callbackTable = {
  open: () => (require('./open') as typeof import('./open')).open,
  close: () => close().close,
  closeSync: () => close().closeSync,
  read: () => readWrite().read,
  write: () => readWrite().write,
  readv: () => readWrite().readv,
  writev: () => readWrite().writev,
  fsync: () => sync().fsync,
  fdatasync: () => sync().fdatasync,
  ftruncate: () => sync().ftruncate,
  fchmod: () => descriptorAttributes().fchmod,
  fchown: () => descriptorAttributes().fchown,
  futimes: () => descriptorAttributes().futimes,
  readFile: () => (require('./read-file') as typeof import('./read-file')).readFile,
  writeFile: () => writeFile().writeFile,
  appendFile: () => writeFile().appendFile,
  readdir: () => (require('./readdir') as typeof import('./readdir')).readdir,
  rm: () => (require('./rm') as typeof import('./rm')).rm,
  cp: () => (require('./cp') as typeof import('./cp')).cp,
  stat: () => stat().stat,
  lstat: () => stat().lstat,
  fstat: () => (require('../descriptor/fstat') as typeof import('../descriptor/fstat')).fstat,
  access: () => access().access,
  exists: () => access().exists,
  copyFile: () => (require('./copy-file') as typeof import('./copy-file')).copyFile,
  utimes: () => utimes().utimes,
  lutimes: () => utimes().lutimes,
  statfs: () => (require('./statfs') as typeof import('./statfs')).statfs,
  opendir: () => (require('./opendir') as typeof import('./opendir')).opendir,
  watchFile: () => (require('./watch-file') as typeof import('./watch-file')).watchFile,
  realpath: () => (require('./realpath') as typeof import('./realpath')).realpath,
  /** fs.realpath.native */
  realpathNative: () => pathSyscallFile().realpathNative,
  glob: () => (require('./inside-node') as typeof import('./inside-node')).glob,
  truncate: () => pathSyscalls().truncate,
  mkdir: () => pathSyscalls().mkdir,
  rmdir: () => pathSyscalls().rmdir,
  readlink: () => pathSyscalls().readlink,
  mkdtemp: () => pathSyscalls().mkdtemp,
  unlink: () => pathSyscalls().unlink,
  rename: () => pathSyscalls().rename,
  link: () => pathSyscalls().link,
  symlink: () => pathSyscalls().symlink,
  chmod: () => pathSyscalls().chmod,
  chown: () => pathSyscalls().chown,
  lchown: () => pathSyscalls().lchown,
};
