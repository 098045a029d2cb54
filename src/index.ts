// `ioengine`: the engine itself. Importing it touches no kernel interface and never fails because of a backend, so that
// probe() can be read when `ioengine/fs` refuses to load.

import { type Requested, requestedBackend, startEngine, whyNoEngine } from './engine/backend-choice';
import './engine/engine';
import { addon, addonFailure, BACKEND_INDEX, type BackendName } from './native/addon';
import type { OperationName } from './native/operations';

export type { Direct, OpenOptions } from './descriptor/open';
export { alignedBuffer } from './engine/aligned-buffer';
export { EngineError } from './engine/backend-choice';
export { type LaneStats, type Stats, stats } from './engine/stats';
export type { BackendName } from './native/addon';

export interface Capabilities {
  /** Operations that the backend serves itself; the engine's pool serves the others. */
  operations: OperationName[];
  /** io_uring: IORING_SETUP_SINGLE_ISSUER and DEFER_TASKRUN are in use. */
  singleIssuer: boolean;
  /** Takes buffered reads that miss the page cache. */
  bufferedReads: boolean;
}

export interface Backend {
  /** `node`: no engine can run here, node:fs serves every call. */
  name: BackendName | 'node';
  /** Requested by name in IOENGINE_BACKEND. */
  forced: boolean;
  /** Why this backend, and why not the ones before it. */
  reason: string;
  /** Requests with the kernel at once. */
  depth: number;
  capabilities: Capabilities;
}

const NO_CAPABILITIES: Capabilities = { operations: [], singleIssuer: false, bufferedReads: false };

/**
 * The backend of the calling thread. Starts the engine if nothing has yet.
 * Throws ERR_IOENGINE_BACKEND_UNKNOWN for a value of IOENGINE_BACKEND it does not know, and
 * ERR_IOENGINE_BACKEND_UNAVAILABLE, with cause and fix, for a backend requested by name that cannot run.
 */
export function backend(): Backend {
  const requested = requestedBackend();
  const forced = requested !== 'auto';
  const engine = startEngine();
  if (engine === undefined) {
    return { name: 'node', forced, reason: whyNoEngine() ?? '', depth: 0, capabilities: NO_CAPABILITIES };
  }
  const { name, reason, depth, operations, singleIssuer, bufferedReads } = engine.native.describe();
  return {
    name,
    forced,
    reason,
    depth,
    capabilities: {
      operations: operations as OperationName[],
      singleIssuer: Boolean(singleIssuer),
      bufferedReads: Boolean(bufferedReads),
    },
  };
}

export interface Availability {
  available: boolean;
  /** Why not: the errno and what usually causes it. */
  reason?: string;
  /** What to do about it. */
  fix?: string;
}

export type Probed = Availability | 'not probed';

// A value that is no backend allows no touching of any: backend() and `ioengine/fs` say what is wrong with it.
function requestedOrUnknown(): Requested | undefined {
  try {
    return requestedBackend();
  } catch {
    return undefined;
  }
}

function probeOne(name: BackendName): Probed {
  const requested = requestedOrUnknown();
  // A seccomp filter may kill the process on the very call: a forced choice touches no other backend.
  if (requested !== 'auto' && requested !== name) return 'not probed';
  const native = addon();
  if (native === undefined) return { available: false, reason: addonFailure(), fix: 'use node:fs on this system' };
  const failure = native.probe(BACKEND_INDEX[name]);
  if (failure.errorNumber === 0) return { available: true };
  return { available: false, reason: `${failure.error}: ${failure.cause}`, fix: failure.fix };
}

/** Each backend: really created once and given back, or the reason why that failed. */
export function probe(): Record<BackendName, Probed> {
  return { uring: probeOne('uring'), aio: probeOne('aio'), threads: probeOne('threads') };
}
