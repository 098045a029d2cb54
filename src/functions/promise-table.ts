// The functions of node:fs/promises that the engine serves, by name, for the module that is put together in
// promises.ts. A FileHandle of node's own stays with node.

import { accessPromise } from './access';
import { cpPromise } from './cp';
import { openPromise } from './open';
import { pathSyscallPromises } from './path-syscalls';
import { readFilePromise } from './read-file';
import { readdirPromise } from './readdir';
import { rmPromise } from './rm';
import { promisesInTurn } from './served-by-node';
import { statPromises } from './stat';
import { writeFilePromises } from './write-file';

export const promiseFunctions = {
  ...pathSyscallPromises,
  ...promisesInTurn,
  ...statPromises,
  ...writeFilePromises,
  open: openPromise,
  readFile: readFilePromise,
  readdir: readdirPromise,
  rm: rmPromise,
  cp: cpPromise,
  // A method, because it is no constructor, as an async function is none; `async` itself would cost ticks.
  access(path: unknown, mode: unknown): Promise<unknown> {
    return accessPromise(path, mode);
  },
};
