// What `ioengine/register` puts into node:fs and node:fs/promises themselves: the functions of ioengine/fs without what
// that adds to node's, and heedful of what a program has patched.

import { isOptions } from '../engine/arguments';
import { callFallback } from '../engine/fallback';
import { countDelegated } from '../engine/stats';
import { walkRealPath } from '../modules/patched-realpath';
import { WRITES_IN_ONE_GO } from '../node/fs';
import { isLoaderRead } from '../node/module-loader';
import { nodePromises } from '../node/promises';
import { callbackFunctions } from './callback-table';
import { openWithCallback } from './open';
import { promiseFunctions } from './promise-table';

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
export function callbacksInPlace(live: Functions, ours: Functions): Record<string, AnyFunction> {
  const engineWrite = callbackFunctions.writeFile;
  const engineAppend = callbackFunctions.appendFile;
  const engineTruncate = callbackFunctions.truncate;
  /** Whether another function than ours is there now under one of the names. */
  const isPatched = (names: readonly string[]): boolean => names.some((name) => live[name] !== ours[name]);
  // Functions of the old kind, because node's can be called with `new`.
  function writeFile(this: unknown): void {
    // biome-ignore lint/complexity/noArguments: the number of arguments is part of the call
    const args = arguments as never;
    if (isPatched(calledByWriting(args))) callFallback('writeFile', args);
    else engineWrite.apply(this, args);
  }
  function appendFile(this: unknown): void {
    // biome-ignore lint/complexity/noArguments: the number of arguments is part of the call
    const args = arguments as never;
    if (isPatched(['writeFile', ...calledByWriting(args)])) callFallback('appendFile', args);
    else engineAppend.apply(this, args);
  }
  function realpath(path: unknown, options: unknown, callback: unknown): void {
    // biome-ignore lint/complexity/noArguments: the number of arguments is part of the call
    if (!walkRealPath(live, path, options, callback)) callFallback('realpath', arguments);
  }
  function truncate(this: unknown): void {
    // biome-ignore lint/complexity/noArguments: the number of arguments is part of the call
    const args = arguments as never;
    if (isPatched(['open', 'close'])) callFallback('truncate', args);
    else engineTruncate.apply(this, args);
  }
  const functions = { ...callbackFunctions, open: openWithCallback, writeFile, appendFile, truncate, realpath };
  return functions as unknown as Record<string, AnyFunction>;
}

/** The functions for node:fs/promises. */
export function promisesInPlace(): Record<string, AnyFunction> {
  const { open, readFile, ...others } = promiseFunctions as unknown as Record<string, AnyFunction>;
  // Not async: what they call is, and a promise for a promise takes ticks of its own.
  return {
    open(path: unknown, flags: unknown, mode: unknown): unknown {
      if (!isOptions(flags)) return open!(path, flags, mode);
      countDelegated();
      return nodePromises.open(path as string, flags as never, mode as never);
    },
    readFile(path: unknown, options: unknown): unknown {
      return isLoaderRead(path, options) ? nodePromises.readFile(path as URL) : readFile!(path, options);
    },
    ...others,
  };
}
