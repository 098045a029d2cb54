// Which backend serves this thread, and why. IOENGINE_BACKEND is read before anything touches the kernel.

import { constants } from 'node:os';
import {
  type Addon,
  addon,
  addonFailure,
  addonFailurePasses,
  addonIsExpected,
  BACKEND_INDEX,
  type BackendName,
  type Failure,
  type Started,
} from '../native/addon';

/** `node`: no engine, node:fs serves everything. */
export type Requested = BackendName | 'auto' | 'node';

const ALIASES: Record<string, Requested> = {
  auto: 'auto',
  node: 'node',
  uring: 'uring',
  io_uring: 'uring',
  aio: 'aio',
  libaio: 'aio',
  threads: 'threads',
};

/**
 * An error of ioengine's own, with the cause and what to do about it. Errors of the system are node's, as from node:fs.
 */
export class EngineError extends Error {
  /** `ERR_IOENGINE_BACKEND_UNKNOWN`, `ERR_IOENGINE_BACKEND_UNAVAILABLE` or `ERR_IOENGINE_DIRECT_UNSUPPORTED`. */
  readonly code: string;
  /** What to do about it, in a sentence; the message ends with it. */
  readonly fix: string;

  constructor(code: string, message: string, fix: string) {
    super(`${message}. Fix: ${fix}`);
    // An assignment would fail where the prototypes are frozen (--frozen-intrinsics).
    Object.defineProperty(this, 'name', { value: 'Error', writable: true, enumerable: true, configurable: true });
    this.code = code;
    this.fix = fix;
  }
}

/**
 * The backend requested in IOENGINE_BACKEND; IOENGINE_DISABLE=1 requests `node`. Throws ERR_IOENGINE_BACKEND_UNKNOWN
 * for a value that it does not know.
 */
export function requestedBackend(): Requested {
  if (process.env.IOENGINE_DISABLE === '1') return 'node';
  const value = process.env.IOENGINE_BACKEND;
  if (value === undefined || value === '') return 'auto';
  const name = Object.hasOwn(ALIASES, value.toLowerCase()) ? ALIASES[value.toLowerCase()] : undefined;
  if (name === undefined) {
    throw new EngineError(
      'ERR_IOENGINE_BACKEND_UNKNOWN',
      `IOENGINE_BACKEND is '${value}', which is no backend`,
      'use one of uring (io_uring), aio (libaio), threads, auto, node',
    );
  }
  return name;
}

function unavailable(name: string, failure: Failure): EngineError {
  return new EngineError(
    'ERR_IOENGINE_BACKEND_UNAVAILABLE',
    `backend '${name}' was asked for with IOENGINE_BACKEND and is not available: ` +
      `${failure.error === undefined ? '' : `${failure.error}, `}${failure.cause ?? 'unknown cause'}`,
    failure.fix ?? 'use IOENGINE_BACKEND=auto',
  );
}

const NO_ADDON_FIX =
  'install ioengine anew, with the files that its package has, or set IOENGINE_ADDON to the path of an addon built ' +
  'for this system; IOENGINE_BACKEND=node goes on with node:fs and says nothing';

const { EMFILE, ENFILE, ENOMEM, EAGAIN } = constants.errno;
/** What may be there again by the next call: a failure for want of it is not remembered. */
const PASSING: readonly number[] = [EMFILE, ENFILE, ENOMEM, EAGAIN];

const WARNED = 'IOENGINE_FALLBACK_PID';

/** One warning for each process: the environment is what its threads have in common. */
function warnOfFallback(reason: string, fix: string): void {
  if (process.env[WARNED] === String(process.pid)) return;
  process.env[WARNED] = String(process.pid);
  process.emitWarning(`ioengine hands all file I/O to node:fs: ${reason}`, {
    type: 'IoengineWarning',
    code: 'IOENGINE_FALLBACK',
    detail: `Fix: ${fix}`,
  });
}

const kOriginals: unique symbol = Symbol.for('ioengine.originals') as never;

export interface Engine {
  readonly native: Addon;
  readonly started: Started;
}

let engine: Engine | undefined;
let noEngineReason: string | undefined;
let passingReason: string | undefined;
let onStart: ((native: Addon) => void) | undefined;

/** Registers what has to happen once, right after the engine of this thread has started. */
export function whenStarted(callback: (native: Addon) => void): void {
  onStart = callback;
}

/** Starts the engine of this thread at the first call. Undefined where there is none: node:fs serves everything. */
export function startEngine(): Engine | undefined {
  if (engine !== undefined || noEngineReason !== undefined) return engine;
  const name = requestedBackend();
  if (name === 'node') {
    noEngineReason = 'node:fs was asked for with IOENGINE_BACKEND=node or IOENGINE_DISABLE=1';
    return undefined;
  }
  const native = addon();
  if (native === undefined) {
    if (name !== 'auto') throw unavailable(name, { errorNumber: 0, cause: addonFailure(), fix: NO_ADDON_FIX });
    passingReason = addonFailure() ?? 'no native addon';
    if (addonFailurePasses()) return undefined;
    noEngineReason = passingReason;
    if (addonIsExpected()) warnOfFallback(noEngineReason, NO_ADDON_FIX);
    return undefined;
  }
  const started = native.shared.started ?? native.start(BACKEND_INDEX[name]);
  if (started.errorNumber !== 0) {
    if (name !== 'auto') throw unavailable(name, started);
    const reason = `no backend could be started: ${started.reason}${started.cause ?? ''}`;
    passingReason = reason;
    // Node serves this call; the next one tries again.
    if (PASSING.includes(started.errorNumber)) return undefined;
    noEngineReason = reason;
    warnOfFallback(noEngineReason, started.fix ?? NO_ADDON_FIX);
    return undefined;
  }
  native.shared.started = started;
  // Another copy of this module has started the engine of this thread, under another IOENGINE_BACKEND.
  if (name !== 'auto' && started.name !== name) {
    const cause = `this thread's engine was started on '${started.name}' before`;
    throw unavailable(name, { errorNumber: 0, cause, fix: 'set IOENGINE_BACKEND before anything loads ioengine' });
  }
  engine = { native, started };
  // Where `ioengine/register` is in node:fs (`originals` of node/fs.ts, which `ioengine` alone does not load).
  const record = (process as { [kOriginals]?: { engineRuns: boolean } })[kOriginals];
  if (record !== undefined) record.engineRuns = true;
  onStart?.(native);
  return engine;
}

export function whyNoEngine(): string | undefined {
  return noEngineReason ?? passingReason;
}

/** The engine of this thread if it runs; never starts it. */
export function runningEngine(): Engine | undefined {
  return engine;
}
