// The running Node's own modules as they were when ioengine was loaded, and how this version behaves. Accessors are
// copied as accessors: calling them would load node's streams long before anyone needs them.

import type * as FsModule from 'node:fs';
import type * as PromisesModule from 'node:fs/promises';

/** A copy of a module as it is now. */
export function snapshot<T extends object>(module: T): T {
  return Object.create(Object.getPrototypeOf(module), Object.getOwnPropertyDescriptors(module));
}

/** Both modules as they were before `ioengine/register` put the engine into them. */
export interface Originals {
  fs: typeof FsModule;
  promises: typeof PromisesModule;
  /** An engine has been started in this thread, by whichever copy of this package. */
  engineRuns: boolean;
}

/** Where `ioengine/register` leaves them for every copy of this package in the thread. */
export const kOriginals: unique symbol = Symbol.for('ioengine.originals') as never;

/** Undefined where nothing has been replaced. */
export function originals(): Originals | undefined {
  return (process as { [kOriginals]?: Originals })[kOriginals];
}

/**
 * node:fs, the oracle and the place where delegated calls go. node:fs/promises is in promises.ts: node loads it only
 * when somebody needs it, and so do we.
 */
export const nodeFs: typeof FsModule = originals()?.fs ?? snapshot(require('node:fs') as typeof FsModule);

/**
 * process.nextTick and timers as they were when ioengine was loaded. Libraries of fake timers put theirs in the place,
 * which run nothing until a test says so; what node does inside does not depend on that, and neither may we.
 */
export const { nextTick } = process;
export const { clearTimeout, setTimeout } = require('node:timers') as typeof import('node:timers');

/** What runs this program, if it is not Node: `Bun` or `Deno`. */
export const OTHER_RUNTIME: string | undefined =
  'bun' in process.versions ? 'Bun' : 'deno' in process.versions ? 'Deno' : undefined;

const major = Number(process.versions.node.split('.')[0]);

/** FileHandle.read takes a bigint position: since 22, before it meant the file position. */
export const READ_TAKES_BIGINT = major >= 22;

/**
 * writeFile of a path without `flush` opens, writes and closes in one go, and calls no other function of the module:
 * since 26.
 */
export const WRITES_IN_ONE_GO = major >= 26;

/** A failed read of promises.readFile(path) names the path in its error: since 26, as far as is known. */
export const READ_ERRORS_NAME_PATH = major >= 26;

/**
 * The promises of recursive readdir and cp go through a tree with one request for each step. Since 26 node makes one
 * request of it as well, and lists in another order.
 */
export const WALKS_FROM_JAVASCRIPT = major < 26;

/** Recursive readdir with a callback does not list all before it returns: since 24, as far as is known. */
export const LISTS_TREES_LATER = major >= 24;

/**
 * Which way to make an object without prototype is fast on this V8. The literal `{ __proto__: null, ... }` ends in a
 * dictionary (467 ns on Node 20); a spread of a template takes 97 ns there but 270 ns on 24, where assignment to
 * Object.create(null) takes 60 to 90 ns.
 */
export const SPREAD_IS_FAST = major < 22;
