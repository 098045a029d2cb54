// `ioengine/fs`: every name of the running node:fs; what the engine serves is replaced. The object is mutable and
// looked at when used, like node's own.
//
// The exports written here are for TypeScript: node's types, with ours where we add something. What programs get, from
// import and from require, is the object assigned at the end.

import { startRequestedBackend } from './engine/start-requested';
import { callbackNames } from './functions/served-names';
import { buildModule, dressed } from './modules/build';
import { lazyFunctions } from './modules/lazy';
import { heedPatches } from './modules/patches';
import { nodeFs, OTHER_RUNTIME } from './node/fs';
import { putStreamsInto } from './streams/install';

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
  ReadStreamOptions,
  WriteBehindOption,
  WriteStreamOptions,
} from './types/fs';
export declare const promises: typeof Promises;
export declare const open: Open;
export declare const createReadStream: CreateReadStream;
export declare const createWriteStream: CreateWriteStream;

startRequestedBackend();

type Table = typeof import('./functions/callback-table').callbackTable;

const find = (name: keyof Table) =>
  (require('./functions/callback-table') as typeof import('./functions/callback-table')).callbackTable[name]();

function build(): object {
  const built = buildModule(nodeFs, lazyFunctions('plain', callbackNames, find));
  const { realpathNative } = lazyFunctions('async', ['realpathNative'], find);
  built.realpath.native = dressed(realpathNative, nodeFs.realpath.native) as typeof built.realpath.native;
  const loadPromises = () => require('./promises') as typeof Promises;
  Object.defineProperty(built, 'promises', { configurable: true, enumerable: true, get: loadPromises });
  putStreamsInto(built);
  heedPatches(built);
  return built;
}

const otherRuntime = () => require('./modules/other-runtime') as typeof import('./modules/other-runtime');

module.exports = OTHER_RUNTIME === undefined ? build() : otherRuntime().fsModule(nodeFs, OTHER_RUNTIME);
