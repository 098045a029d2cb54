// The ES module of `ioengine`: the objects of the CommonJS one. Named here, because not every runtime finds the names
// of a CommonJS module in its text.

import ioengine = require('./index.js');

export type {
  Availability,
  Backend,
  BackendName,
  CallInFlight,
  Capabilities,
  Direct,
  FilesystemKind,
  FilesystemRow,
  LaneStats,
  OpenOptions,
  Probed,
  Stats,
} from './index.js';

export import alignedBuffer = ioengine.alignedBuffer;
export import backend = ioengine.backend;
export import EngineError = ioengine.EngineError;
export import inFlight = ioengine.inFlight;
export import probe = ioengine.probe;
export import stats = ioengine.stats;
