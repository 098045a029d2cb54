// The callback forms of node:fs that the engine serves: plain calls go to the engine, all others to node:fs, which
// raises its own errors. By name, for the module that is put together in fs.ts.

import { access, exists } from './access';
import { appendFile, readFile, writeFile } from './callback-whole-files';
import { close, closeSync, fdatasync, fsync, ftruncate, open } from './close';
import { pathCallbacks } from './pool-job-forms';
import { read, readv, write, writev } from './read-write';
import { fstat, lstat, stat } from './stat';

export const callbackFunctions = {
  ...pathCallbacks,

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
  readFile,
  writeFile,
  appendFile,
  stat,
  lstat,
  fstat,
  access,
  exists,
};
