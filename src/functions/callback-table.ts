// The callback functions of node:fs that the engine serves, by name, for the module that is put together in fs.ts. Each
// hands plain calls to the engine and all others to node:fs, which raises its own errors.

import { fchmod, fchown, futimes } from '../descriptor/attribute-changes';
import { fstat } from '../descriptor/fstat';
import { access, exists } from './access';
import { close, closeSync } from './close';
import { copyFile } from './copy-file';
import { cp } from './cp';
import { fdatasync, fsync, ftruncate } from './fsync-ftruncate';
import { glob } from './inside-node';
import { open } from './open';
import { opendir } from './opendir';
import { pathSyscallCallbacks, realpathNative } from './path-syscalls';
import { readFile } from './read-file';
import { read, readv, write, writev } from './read-write';
import { readdir } from './readdir';
import { realpath } from './realpath';
import { rm } from './rm';
import { lstat, stat } from './stat';
import { statfs } from './statfs';
import { lutimes, utimes } from './utimes';
import { watchFile } from './watch-file';
import { appendFile, writeFile } from './write-file';

export const callbackFunctions = {
  ...pathSyscallCallbacks,
  open,
  close,
  closeSync,
  read,
  write,
  readv,
  writev,
  fsync,
  fdatasync,
  ftruncate,
  fchmod,
  fchown,
  futimes,
  readFile,
  writeFile,
  appendFile,
  readdir,
  rm,
  cp,
  stat,
  lstat,
  fstat,
  access,
  exists,
  copyFile,
  utimes,
  lutimes,
  statfs,
  opendir,
  watchFile,
  realpath,
  /** fs.realpath.native */
  realpathNative,
  glob,
};
