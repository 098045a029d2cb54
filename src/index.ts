// `ioengine`: the engine itself. Importing it touches no kernel interface and never fails because of a backend, so that
// probe() can be read when `ioengine/fs` refuses to load.

import { type Requested, requestedBackend, startEngine, whyNoEngine } from './engine/backend-choice';
import './engine/engine';
import { type FilesystemKind, type FilesystemRow, filesystemRows } from './engine/filesystem-kinds';
import { addon, addonFailure, BACKEND_INDEX, type BackendName } from './native/addon';
import type { OperationName } from './native/operations';

export type { Direct, OpenOptions } from './descriptor/open';
export { alignedBuffer } from './engine/aligned-buffer';
export { EngineError } from './engine/backend-choice';
export type { FilesystemKind, FilesystemRow } from './engine/filesystem-kinds';
export { type CallInFlight, inFlight } from './engine/in-flight';
export { type LaneStats, type Stats, stats } from './engine/stats';
export type { BackendName } from './native/addon';

/** What a backend does by itself, as the kernel told when it was made. */
export interface Capabilities {
  /** Operations that the backend serves itself; the engine's pool serves the others. Empty without an engine. */
  operations: OperationName[];
  /**
   * io_uring with IORING_SETUP_SINGLE_ISSUER and IORING_SETUP_DEFER_TASKRUN (io_uring_setup(2), Linux 6.1). Always
   * false of the others.
   */
  singleIssuer: boolean;
  /** Takes buffered reads that miss the page cache: io_uring does, AIO (io_submit(2)) would block in the submission. */
  bufferedReads: boolean;
}

/** The backend that serves the calling thread. */
export interface Backend {
  /** `node`: no engine runs, node:fs serves every call. */
  name: BackendName | 'node';
  /** Requested by name, in IOENGINE_BACKEND or with IOENGINE_DISABLE=1. */
  forced: boolean;
  /** Why this backend, and why not the ones before it: one line of text for people, not for programs to parse. */
  reason: string;
  /** Most requests with the kernel at once; more of them wait in the engine. 0 without an engine. */
  depth: number;
  capabilities: Capabilities;
  /** Kinds of filesystem, and which lanes serve files and paths on each. */
  filesystems: Record<FilesystemKind, FilesystemRow>;
}

const NO_CAPABILITIES: Capabilities = { operations: [], singleIssuer: false, bufferedReads: false };

/**
 * The backend of the calling thread. Starts the engine of the thread if nothing has yet, and with it the ring or the
 * context: each thread (each Worker) has its own. The answer is the same for the rest of the thread's life, unless no
 * engine could be started for a reason that passes (no free descriptor, no memory): then the next call tries again.
 *
 * @throws {EngineError} `ERR_IOENGINE_BACKEND_UNKNOWN` for a value of IOENGINE_BACKEND that it does not know.
 * @throws {EngineError} `ERR_IOENGINE_BACKEND_UNAVAILABLE`, with cause and fix, for a backend that was requested by
 * name and cannot run.
 */
export function backend(): Backend {
  const requested = requestedBackend();
  const forced = requested !== 'auto';
  const engine = startEngine();
  if (engine === undefined) {
    const reason = whyNoEngine() ?? '';
    const filesystems = filesystemRows('node');
    return { name: 'node', forced, reason, depth: 0, capabilities: NO_CAPABILITIES, filesystems };
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
    filesystems: filesystemRows(name),
  };
}

/** Whether a backend can run here. */
export interface Availability {
  available: boolean;
  /** Why not: the name of the errno, such as EPERM, and what usually causes it. Missing where it is available. */
  reason?: string;
  /** What to do about it. Missing where it is available. */
  fix?: string;
}

/** `'not probed'`: another backend was requested by name, and only that one is touched. */
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

/**
 * What can run here. Each backend is really created and given back (io_uring_setup(2) and the operations that it has to
 * have; io_setup(2); the pool needs nothing), or has the reason why that failed. Where IOENGINE_BACKEND names one, only
 * that one is touched: a strict seccomp filter may kill a process for the very call. Never throws; takes about a
 * millisecond, and nothing is remembered. `ioengine doctor` prints it.
 */
export function probe(): Record<BackendName, Probed> {
  return { uring: probeOne('uring'), aio: probeOne('aio'), threads: probeOne('threads') };
}
