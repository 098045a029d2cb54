// `node --import ioengine/register app.js`: puts the engine into node:fs and node:fs/promises themselves, so that a
// program that knows nothing of ioengine is served by it. Whoever loads these modules, and however, gets the same
// objects as ever, with some functions replaced. Nothing is added to them: what node refuses is refused.
//
// Node's own code calls these objects too: both module loaders, streams, http2, the REPL's history, warnings that go to
// a file, standard input from a file. docs/decisions/0007-register.md lists the callers. Everything that one of
// them could need in the middle of loading a module is loaded here, and nothing is loaded later.

import { syncBuiltinESMExports } from 'node:module';
import { isOptions } from './engine/arguments';
import { callFallback } from './engine/fallback';
import { startRequestedBackend } from './engine/start-requested';
import { countDelegated } from './engine/stats';
import { callbackFunctions } from './functions/callback-table';
import { openWithCallback } from './functions/open';
import { promiseFunctions } from './functions/promise-table';
import { replaced } from './modules/build';
import { walkRealPath } from './modules/patched-realpath';
import { kOriginals, nodeFs, OTHER_RUNTIME, originals, WRITES_IN_ONE_GO } from './node/fs';
import { isLoaderRead } from './node/module-loader';
import { nodePromises } from './node/promises';
import { serveStreamsInPlace } from './streams/install-in-place';

type Functions = Record<string, unknown>;
type AnyFunction = (...args: unknown[]) => unknown;

const live = require('node:fs') as Functions;
const livePromises = require('node:fs/promises') as Functions;

/** Replaces functions of `module_`; those in their places look like them. */
function put(module_: Functions, functions: Functions): void {
  for (const [name, value] of Object.entries(functions)) {
    Object.defineProperty(module_, name, replaced(Object.getOwnPropertyDescriptor(module_, name)!, name, value));
  }
}

/** Whether another function than ours is there now under one of the names. */
const isPatched = (ours: Functions, names: readonly string[]): boolean =>
  names.some((name) => live[name] !== ours[name]);

const CALLED_BY_WRITING = ['open', 'write', 'fsync', 'close'];

/** What node's writeFile calls through the module when it is called like this. graceful-fs always patches `close`. */
function calledByWriting({ 0: path, 2: options }: ArrayLike<unknown>): readonly string[] {
  const inOneGo = WRITES_IN_ONE_GO && typeof path !== 'number' && !(isOptions(options) && options.flush);
  return inOneGo ? [] : CALLED_BY_WRITING;
}

/**
 * The callback functions without what ioengine/fs adds. Node's writeFile, appendFile and truncate call others through
 * the module, so that a program's patches of those are seen: where there are such, node's do the work, on our
 * functions.
 */
function functionsInPlace(): Functions {
  const engineWrite = callbackFunctions.writeFile;
  const engineAppend = callbackFunctions.appendFile;
  const engineTruncate = callbackFunctions.truncate;
  // Functions of the old kind, because node's can be called with `new`.
  function writeFile(this: unknown): void {
    // biome-ignore lint/complexity/noArguments: the number of arguments is part of the call
    const args = arguments as never;
    if (isPatched(ours, calledByWriting(args))) callFallback('writeFile', args);
    else engineWrite.apply(this, args);
  }
  function appendFile(this: unknown): void {
    // biome-ignore lint/complexity/noArguments: the number of arguments is part of the call
    const args = arguments as never;
    if (isPatched(ours, ['writeFile', ...calledByWriting(args)])) callFallback('appendFile', args);
    else engineAppend.apply(this, args);
  }
  function realpath(path: unknown, options: unknown, callback: unknown): void {
    // biome-ignore lint/complexity/noArguments: the number of arguments is part of the call
    if (!walkRealPath(live, path, options, callback)) callFallback('realpath', arguments);
  }
  function truncate(this: unknown): void {
    // biome-ignore lint/complexity/noArguments: the number of arguments is part of the call
    const args = arguments as never;
    if (isPatched(ours, ['open', 'close'])) callFallback('truncate', args);
    else engineTruncate.apply(this, args);
  }
  const ours: Functions = { ...callbackFunctions, open: openWithCallback, writeFile, appendFile, truncate, realpath };
  // Node's calls `fs.access` through the module, so a patch of that is seen; and it is ours that it calls.
  delete ours.exists;
  return ours;
}

/** The functions of node:fs/promises without what ioengine/fs/promises adds. */
function promisesInPlace(): Functions {
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

// On Bun and Deno there is no engine, and `node:fs` is theirs.
if (process.env.IOENGINE_DISABLE !== '1' && OTHER_RUNTIME === undefined && originals() === undefined) {
  // A backend requested by name has to be there, as for ioengine/fs; otherwise nothing starts before it is needed.
  startRequestedBackend();
  Object.defineProperty(process, kOriginals, { value: { fs: nodeFs, promises: nodePromises } });
  put(live, functionsInPlace());
  put(livePromises, promisesInPlace());
  serveStreamsInPlace(live);
  syncBuiltinESMExports();
}
