// Which backend serves this thread, and why. IOENGINE_BACKEND is read before anything touches the kernel.

import {
  type Addon,
  addon,
  addonFailure,
  BACKEND_INDEX,
  type BackendName,
  type Failure,
  type Started,
} from '../native/addon';

const ALIASES: Record<string, BackendName | 'auto'> = {
  auto: 'auto',
  uring: 'uring',
  io_uring: 'uring',
  aio: 'aio',
  libaio: 'aio',
  threads: 'threads',
};

/** An error of ioengine's own, with the cause and what to do about it. */
export class EngineError extends Error {
  readonly code: string;
  readonly fix: string;

  constructor(code: string, message: string, fix: string) {
    super(`${message}. Fix: ${fix}`);
    // An assignment would fail where the prototypes are frozen (--frozen-intrinsics).
    Object.defineProperty(this, 'name', { value: 'Error', writable: true, enumerable: true, configurable: true });
    this.code = code;
    this.fix = fix;
  }
}

/** The backend asked for in IOENGINE_BACKEND. Throws ERR_IOENGINE_BACKEND_UNKNOWN for a value it does not know. */
export function requestedBackend(): BackendName | 'auto' {
  const value = process.env.IOENGINE_BACKEND;
  if (value === undefined || value === '') return 'auto';
  const name = Object.hasOwn(ALIASES, value.toLowerCase()) ? ALIASES[value.toLowerCase()] : undefined;
  if (name === undefined) {
    throw new EngineError(
      'ERR_IOENGINE_BACKEND_UNKNOWN',
      `IOENGINE_BACKEND is '${value}', which is no backend`,
      'use one of uring (io_uring), aio (libaio), threads, auto',
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

const NO_ADDON_FIX = 'use a platform that ioengine has a native addon for, or IOENGINE_BACKEND=auto';

export interface Engine {
  readonly native: Addon;
  readonly started: Started;
}

let engine: Engine | undefined;
let noEngineReason: string | undefined;
let onStart: ((native: Addon) => void) | undefined;

/** Registers what has to happen once, right after the engine of this thread has started. */
export function whenStarted(callback: (native: Addon) => void): void {
  onStart = callback;
}

/** Starts the engine of this thread at the first call. Undefined where there is none: node:fs serves everything. */
export function startEngine(): Engine | undefined {
  if (engine !== undefined || noEngineReason !== undefined) return engine;
  const name = requestedBackend();
  const native = addon();
  if (native === undefined) {
    if (name !== 'auto') throw unavailable(name, { errorNumber: 0, cause: addonFailure(), fix: NO_ADDON_FIX });
    noEngineReason = addonFailure() ?? 'no native addon';
    return undefined;
  }
  const started = native.start(BACKEND_INDEX[name]);
  if (started.errorNumber !== 0) {
    if (name !== 'auto') throw unavailable(name, started);
    noEngineReason = `no backend could be started: ${started.reason}${started.cause ?? ''}`;
    return undefined;
  }
  engine = { native, started };
  onStart?.(native);
  return engine;
}

export function whyNoEngine(): string | undefined {
  return noEngineReason;
}

/** The engine if it has been started; never starts it. */
export function startedEngine(): Engine | undefined {
  return engine;
}
