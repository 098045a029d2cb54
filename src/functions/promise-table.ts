// The functions of node:fs/promises that the engine serves, by name, for the module that is put together in
// promises.ts. A FileHandle of node's own stays with node.

import { accessPromise } from './access';
import { copyFilePromise } from './copy-file';
import { cpPromise } from './cp';
import { globPromise } from './inside-node';
import { mkdtempDisposable } from './mkdtemp-disposable';
import { openPromise } from './open';
import { opendirPromise } from './opendir';
import { pathSyscallPromises } from './path-syscalls';
import { readFilePromise } from './read-file';
import { readdirPromise } from './readdir';
import { rmPromise } from './rm';
import { statPromises } from './stat';
import { statfsPromise } from './statfs';
import { lutimesPromise, utimesPromise } from './utimes';
import { writeFilePromises } from './write-file';

export const promiseFunctions = {
  ...pathSyscallPromises,
  ...statPromises,
  ...writeFilePromises,
  open: openPromise,
  readFile: readFilePromise,
  readdir: readdirPromise,
  rm: rmPromise,
  cp: cpPromise,
  copyFile: copyFilePromise,
  utimes: utimesPromise,
  lutimes: lutimesPromise,
  statfs: statfsPromise,
  opendir: opendirPromise,
  mkdtempDisposable,
  glob: globPromise,
  // A method, because it is no constructor, as an async function is none; `async` itself would cost ticks.
  access(path: unknown, mode: unknown): Promise<unknown> {
    return accessPromise(path, mode);
  },
};
