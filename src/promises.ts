// `ioengine/fs/promises`: every name of the running node:fs/promises; what the engine serves is replaced.
//
// As in fs.ts, the exports written here are for TypeScript; what programs get is the object assigned at the end.

import type { promiseFunctions } from './files/promise-functions';
import { buildModule } from './internal/build-module';
import { hostPromises } from './internal/host';
import { lazyFunctions } from './internal/lazy';
import type { OpenHandle } from './types/promises';

export * from 'node:fs/promises';
export declare const open: OpenHandle;

// In auto mode nothing is touched before the first operation. A backend asked for by name has to be there now.
// fs.ts loads this file first, so this is the place for both.
const asked = process.env.IOENGINE_BACKEND;
if (asked !== undefined && asked !== '' && asked !== 'auto') {
  (require('./engine/choice') as typeof import('./engine/choice')).verifyRequestedBackend();
}

const served: (keyof typeof promiseFunctions)[] = ['open', 'readFile', 'writeFile', 'appendFile'];
const load = () =>
  (require('./files/promise-functions') as typeof import('./files/promise-functions')).promiseFunctions;

module.exports = buildModule(hostPromises, lazyFunctions('async', served, load));
