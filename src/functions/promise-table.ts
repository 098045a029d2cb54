// The functions of node:fs/promises that the engine serves, by name, for the module that is put together in
// promises.ts; as in callback-table.ts, the file of a function is loaded by its first call. A FileHandle of node's own
// stays with node.

const stat = () => (require('./stat') as typeof import('./stat')).statPromises;
const utimes = () => require('./utimes') as typeof import('./utimes');
const writeFile = () => (require('./write-file') as typeof import('./write-file')).writeFilePromises;
const pathSyscalls = () => (require('./path-syscalls') as typeof import('./path-syscalls')).pathSyscallPromises;

export const promiseTable = {
  open: () => (require('./open') as typeof import('./open')).openPromise,
  readFile: () => (require('./read-file') as typeof import('./read-file')).readFilePromise,
  writeFile: () => writeFile().writeFile,
  appendFile: () => writeFile().appendFile,
  readdir: () => (require('./readdir') as typeof import('./readdir')).readdirPromise,
  rm: () => (require('./rm') as typeof import('./rm')).rmPromise,
  cp: () => (require('./cp') as typeof import('./cp')).cpPromise,
  stat: () => stat().stat,
  lstat: () => stat().lstat,
  access: () => (require('./access') as typeof import('./access')).accessPromise,
  copyFile: () => (require('./copy-file') as typeof import('./copy-file')).copyFilePromise,
  utimes: () => utimes().utimesPromise,
  lutimes: () => utimes().lutimesPromise,
  statfs: () => (require('./statfs') as typeof import('./statfs')).statfsPromise,
  opendir: () => (require('./opendir') as typeof import('./opendir')).opendirPromise,
  mkdtempDisposable: () => (require('./mkdtemp-disposable') as typeof import('./mkdtemp-disposable')).mkdtempDisposable,
  glob: () => (require('./inside-node') as typeof import('./inside-node')).globPromise,
  truncate: () => pathSyscalls().truncate,
  mkdir: () => pathSyscalls().mkdir,
  rmdir: () => pathSyscalls().rmdir,
  readlink: () => pathSyscalls().readlink,
  realpath: () => pathSyscalls().realpath,
  mkdtemp: () => pathSyscalls().mkdtemp,
  unlink: () => pathSyscalls().unlink,
  rename: () => pathSyscalls().rename,
  link: () => pathSyscalls().link,
  symlink: () => pathSyscalls().symlink,
  chmod: () => pathSyscalls().chmod,
  chown: () => pathSyscalls().chown,
  lchown: () => pathSyscalls().lchown,
};
