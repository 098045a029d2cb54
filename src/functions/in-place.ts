// What `ioengine/register` puts into node:fs and node:fs/promises themselves: the functions of ioengine/fs without what
// that adds to node's, and heedful of what a program has patched.

import { isOptions } from '../engine/arguments';
import { callFallback } from '../engine/fallback';
import { countDelegated } from '../engine/stats';
import { WRITES_IN_ONE_GO } from '../node/fs';
import { isLoaderRead } from '../node/module-loader';
import { nodePromises } from '../node/promises';
import { callbackTable } from './callback-table';
import { promiseTable } from './promise-table';

type Functions = Record<string, unknown>;
type AnyFunction = (...args: unknown[]) => unknown;

const CALLED_BY_WRITING = ['open', 'write', 'fsync', 'close'];

/** What node's writeFile calls through the module when it is called like this. graceful-fs always patches `close`. */
function calledByWriting({ 0: path, 2: options }: ArrayLike<unknown>): readonly string[] {
  const inOneGo = WRITES_IN_ONE_GO && typeof path !== 'number' && !(isOptions(options) && options.flush);
  return inOneGo ? [] : CALLED_BY_WRITING;
}

/**
 * The callback functions for `live`, node:fs, where `ours` have been put. Node's writeFile, appendFile and truncate
 * call others through the module, so that a program's patches of those are seen: where there are such, node's do the
 * work, on our functions.
 */
export function callbacksInPlace(live: Functions, ours: Functions) {
  /** The engine's, unless another function than ours is there now under one of the names that node's would call. */
  function unlessPatched(
    name: 'writeFile' | 'appendFile' | 'truncate',
    calledByNode: (args: ArrayLike<unknown>) => readonly string[],
  ): AnyFunction {
    const onEngine = callbackTable[name]() as AnyFunction;
    // A function of the old kind, because node's can be called with `new`.
    return function (this: unknown): void {
      // biome-ignore lint/complexity/noArguments: the number of arguments is part of the call
      const args = arguments as never;
      if (calledByNode(args).some((called) => live[called] !== ours[called])) callFallback(name, args);
      else onEngine.apply(this, args);
    };
  }
  function realpath(path: unknown, options: unknown, callback: unknown): void {
    const { walkRealPath } = require('../modules/patched-realpath') as typeof import('../modules/patched-realpath');
    // biome-ignore lint/complexity/noArguments: the number of arguments is part of the call
    if (!walkRealPath(live, path, options, callback)) callFallback('realpath', arguments);
  }
  return {
    ...callbackTable,
    open: () => (require('./open') as typeof import('./open')).openWithCallback,
    writeFile: () => unlessPatched('writeFile', calledByWriting),
    appendFile: () => unlessPatched('appendFile', (args) => ['writeFile', ...calledByWriting(args)]),
    truncate: () => unlessPatched('truncate', () => ['open', 'close']),
    realpath: () => realpath,
  };
}

function open(path: unknown, flags: unknown, mode: unknown): unknown {
  if (!isOptions(flags)) return promiseTable.open()(path as string, flags, mode);
  countDelegated();
  return nodePromises.open(path as string, flags as never, mode as never);
}

function readFile(path: unknown, options: unknown): unknown {
  return isLoaderRead(path, options)
    ? nodePromises.readFile(path as URL)
    : promiseTable.readFile()(path as string, options as never);
}

/** The functions for node:fs/promises. Not async: what they call is, and a promise for a promise takes ticks. */
export const promisesInPlace = { ...promiseTable, open: () => open, readFile: () => readFile };
