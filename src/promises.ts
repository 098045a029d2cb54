// `ioengine/fs/promises`: every name of the running node:fs/promises; what the engine serves is replaced.

import type * as PromisesModule from 'node:fs/promises';
import { verifyRequestedBackend } from './engine/choice';
import { promiseFunctions } from './files/promise-functions';
import { buildModule } from './internal/build-module';

verifyRequestedBackend();

const module_ = buildModule(require('node:fs/promises') as typeof PromisesModule, promiseFunctions);

export = module_;
