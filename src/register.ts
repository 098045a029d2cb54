// `node --import ioengine/register app.js`: puts the engine into node:fs and node:fs/promises themselves, so that a
// program that knows nothing of ioengine is served by it. Whoever loads these modules, and however, gets the same
// objects as ever, with some functions replaced. Nothing is added to them: what node refuses is refused.
//
// Node's own code calls these objects too: both module loaders, streams, http2, the REPL's history, warnings that go to
// a file, standard input from a file. docs/decisions/0007-register.md lists the callers. Any of them may be the first
// to call, in the middle of loading a module: what is needed then is compiled from text that has been read here, and
// no module loader takes part (scripts/lib/bundle.mjs).

import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { startRequestedBackend } from './engine/start-requested';
import { callbackNames, constructibleNames, promiseNames } from './functions/served-names';
import { dressed, replaced } from './modules/build';
import { lazyFunctions } from './modules/lazy';
import { kOriginals, nodeFs, OTHER_RUNTIME, type Originals, originals } from './node/fs';
import { nodePromises } from './node/promises';
import { serveStreamsInPlace } from './streams/install-in-place';

type Functions = Record<string, unknown>;
type InPlace = typeof import('./functions/in-place');

const live = require('node:fs') as Functions;
const livePromises = require('node:fs/promises') as Functions;

/** Replaces functions of `module_`; those in their places look like them. */
function put(module_: Functions, functions: Functions): void {
  for (const [name, value] of Object.entries(functions)) {
    const descriptor = Object.getOwnPropertyDescriptor(module_, name);
    // Not every version has every name.
    if (descriptor !== undefined) Object.defineProperty(module_, name, replaced(descriptor, name, value));
  }
}

function callbacks(record: Originals): Functions {
  // Node's `exists` calls `fs.access` through the module, so a patch of that is seen; and it is ours that it calls.
  // `glob` stays node's, which is built on the functions that are replaced.
  const names = callbackNames.filter((name) => name !== 'exists' && name !== 'glob');
  let table: ReturnType<InPlace['callbacksInPlace']> | undefined;
  const ours: Functions = lazyFunctions('plain', names, (name) => {
    table ??= (require('./functions/in-place') as InPlace).callbacksInPlace(live, ours);
    return table[name]();
  });
  const closeOnEngine = ours.closeSync as typeof nodeFs.closeSync;
  // Nothing has been accepted where no engine runs, and node's module loaders close files too.
  ours.closeSync = function closeSync(fd: number): void {
    if (record.engineRuns) closeOnEngine(fd);
    else nodeFs.closeSync(fd);
  };
  return ours;
}

function promises(): Functions {
  const find = (name: keyof InPlace['promisesInPlace']) =>
    (require('./functions/in-place') as InPlace).promisesInPlace[name]();
  return {
    ...lazyFunctions('async', promiseNames, find),
    ...lazyFunctions('plain', constructibleNames, find),
  };
}

/** Whether the file that starts engines has been loaded: bundled, or as tsc wrote it. */
function mayRunAlready(): boolean {
  return ['rest.js', 'engine/backend-choice.js'].some((file) => require.cache[join(__dirname, file)] !== undefined);
}

// On Bun and Deno there is no engine, and `node:fs` is theirs.
if (process.env.IOENGINE_DISABLE !== '1' && OTHER_RUNTIME === undefined && originals() === undefined) {
  // A backend requested by name has to be there, as for ioengine/fs; otherwise nothing starts before it is needed.
  startRequestedBackend();
  const record: Originals = { fs: nodeFs, promises: nodePromises, engineRuns: mayRunAlready() };
  Object.defineProperty(process, kOriginals, { value: record });
  put(live, callbacks(record));
  const { realpathNative } = lazyFunctions('async', ['realpathNative'], () =>
    (
      require('./functions/callback-table') as typeof import('./functions/callback-table')
    ).callbackTable.realpathNative(),
  );
  Object.assign(live.realpath as object, { native: dressed(realpathNative, nodeFs.realpath.native) });
  put(livePromises, promises());
  serveStreamsInPlace(live);
  syncBuiltinESMExports();
}
