// `ioengine/fs/promises`: every name of the running node:fs/promises; what the engine serves is replaced.
//
// As in fs.ts, the exports written here are for TypeScript; what programs get is the object assigned at the end.

import { startAskedBackend } from './engine/asked';
import type { promiseFunctions } from './files/promise-functions';
import { buildModule } from './internal/build-module';
import { OTHER_RUNTIME } from './internal/host';
import { hostPromises } from './internal/host-promises';
import { lazyFunctions } from './internal/lazy';
import type { OpenHandle } from './types/promises';

export * from 'node:fs/promises';
export type { OpenHandle, OpenOptions } from './types/promises';
export declare const open: OpenHandle;

startAskedBackend();

const served: (keyof typeof promiseFunctions)[] = [
  'open',
  'readFile',
  'writeFile',
  'appendFile',
  'stat',
  'lstat',
  'access',
  'chmod',
  'chown',
  'cp',
  'lchown',
  'mkdir',
  'readdir',
  'readlink',
  'realpath',
  'rm',
  'truncate',
  'rmdir',
  'unlink',
  'rename',
  'link',
  'symlink',
  'copyFile',
  'utimes',
  'lutimes',
  'statfs',
  'mkdtemp',
];
const load = () =>
  (require('./files/promise-functions') as typeof import('./files/promise-functions')).promiseFunctions;

const otherRuntime = () => require('./files/other-runtime') as typeof import('./files/other-runtime');

module.exports =
  OTHER_RUNTIME === undefined
    ? buildModule(hostPromises, {
        ...lazyFunctions('async', served, load),
        ...lazyFunctions('plain', ['opendir'], load),
      })
    : otherRuntime().promisesModule(hostPromises, OTHER_RUNTIME);
