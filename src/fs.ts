// `ioengine/fs`: every name of the running node:fs; what the engine serves is replaced. The object is mutable and looked
// at when used, like node's own.
//
// The exports written here are for TypeScript: node's types, with ours where we add something. What programs get, from
// import and from require, is the object assigned at the end.

import { startAskedBackend } from './engine/asked';
import type { callbackFunctions } from './files/callbacks';
import { buildModule } from './internal/build-module';
import { hostFs, OTHER_RUNTIME } from './internal/host';
import { lazyFunctions } from './internal/lazy';
import { heedPatches } from './internal/patches';
import { putStreamsInto } from './streams/module';

import type Promises = require('./promises');

import type { CreateReadStream, CreateWriteStream, Open } from './types/fs';

export * from 'node:fs';
// Declarations of programs name these types, and can do so only from here.
export type {
  CreateReadStream,
  CreateWriteStream,
  DirectOption,
  Open,
  OpenOptions,
  WriteStreamOptions,
} from './types/fs';
export declare const promises: typeof Promises;
export declare const open: Open;
export declare const createReadStream: CreateReadStream;
export declare const createWriteStream: CreateWriteStream;

startAskedBackend();

const served: (keyof typeof callbackFunctions)[] = [
  'open',
  'close',
  'closeSync',
  'read',
  'write',
  'readv',
  'writev',
  'fsync',
  'fdatasync',
  'readFile',
  'writeFile',
  'appendFile',
  'stat',
  'lstat',
  'fstat',
  'access',
  'exists',
  'cp',
  'mkdir',
  'rm',
  'truncate',
  'rmdir',
  'unlink',
  'rename',
  'link',
  'symlink',
  'readlink',
  'chmod',
  'chown',
  'lchown',
  'copyFile',
  'utimes',
  'lutimes',
  'opendir',
  'statfs',
  'mkdtemp',
  'readdir',
  'ftruncate',
  'fchmod',
  'fchown',
  'futimes',
  'watchFile',
];
const load = () => (require('./files/callbacks') as typeof import('./files/callbacks')).callbackFunctions;

function build(): object {
  const built = buildModule(hostFs, lazyFunctions('plain', served, load));
  const loadPromises = () => require('./promises') as typeof Promises;
  Object.defineProperty(built, 'promises', { configurable: true, enumerable: true, get: loadPromises });
  putStreamsInto(built);
  heedPatches(built);
  return built;
}

const otherRuntime = () => require('./files/other-runtime') as typeof import('./files/other-runtime');

module.exports = OTHER_RUNTIME === undefined ? build() : otherRuntime().fsModule(hostFs, OTHER_RUNTIME);
