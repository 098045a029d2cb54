// `ioengine/fs/promises`: every name of the running node:fs/promises; what the engine serves is replaced.
//
// As in fs.ts, the exports written here are for TypeScript; what programs get is the object assigned at the end.

import { startRequestedBackend } from './engine/start-requested';
import { constructibleNames, generatorNames, promiseNames } from './functions/served-names';
import { buildModule } from './modules/build';
import { lazyFunctions } from './modules/lazy';
import { OTHER_RUNTIME } from './node/fs';
import { nodePromises } from './node/promises';
import type { OpenHandle } from './types/promises';

export * from 'node:fs/promises';
export type { OpenHandle, OpenOptions } from './types/promises';
export declare const open: OpenHandle;

startRequestedBackend();

type Table = typeof import('./functions/promise-table').promiseTable;

const find = (name: keyof Table) =>
  (require('./functions/promise-table') as typeof import('./functions/promise-table')).promiseTable[name]();

const otherRuntime = () => require('./modules/other-runtime') as typeof import('./modules/other-runtime');

module.exports =
  OTHER_RUNTIME === undefined
    ? buildModule(nodePromises, {
        ...lazyFunctions('async', promiseNames, find),
        ...lazyFunctions('plain', constructibleNames, find),
        ...lazyFunctions('generator', generatorNames, find),
      })
    : otherRuntime().promisesModule(nodePromises, OTHER_RUNTIME);
