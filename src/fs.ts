// `ioengine/fs`: every name of the running node:fs; what the engine serves is replaced. The object is mutable and looked
// at when used, like node's own.

import type * as FsModule from 'node:fs';
import { verifyRequestedBackend } from './engine/choice';
import { callbackFunctions } from './files/callbacks';
import { buildModule } from './internal/build-module';
import promises = require('./promises');

verifyRequestedBackend();

const module_ = buildModule(require('node:fs') as typeof FsModule, callbackFunctions);
Object.defineProperty(module_, 'promises', { configurable: true, enumerable: true, get: () => promises });

export = module_;
