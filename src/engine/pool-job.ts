// One job for the engine's pool, made of a call on a path: from the engine's answer to a promise or a callback.

import { ACCEPTED, type Addon, PATH_CALLBACK, UNSUPPORTED } from '../native/addon';
import { rejectWithSystemError, systemErrorWithoutFrames } from '../node/errors';
import { shownPath } from './arguments';
import { type Callback, callBackAfter } from './callbacks';
import { engine, pathsAreGuarded } from './engine';
import { announceChange } from './foreign-changes';
import { BareRequest, CallbackRequest, callBackTo, settleWith } from './requests';
import { countDelegated } from './stats';

export type Path = string | Uint8Array;

/** A call as the engine takes it. */
export interface PoolJob {
  /** What an error names. */
  readonly syscall: string;
  readonly path: Path;
  /** The second path of a call that has two, as an error shows it. */
  readonly target?: Path;
  /** The path that an error shows, where that is another. */
  shown?(slot: number, native: Addon): string;
  /** Node makes several requests of it. */
  readonly chained: boolean;
  /** Hands it to the engine, which answers UNSUPPORTED or a slot. */
  accept(native: Addon, pathFlags: number): number;
  /** What the call brings, for a result at or above 0. Runs no foreign code. */
  value(result: number, slot: number, native: Addon): unknown;
  /** The rest of a call that one pool job has begun: a result below UNSUPPORTED. */
  resume?(slot: number, native: Addon): Promise<unknown>;
}

const shownFirst = (job: PoolJob, slot: number, native: Addon): string =>
  job.shown?.(slot, native) ?? shownPath(job.path);
const shownTarget = ({ target }: PoolJob): string | undefined => (target === undefined ? undefined : shownPath(target));

/** The engine where it may look at paths. */
function pathEngine(): Addon | undefined {
  return pathsAreGuarded() ? undefined : engine();
}

/** How node serves the call after all. */
type Fallback = () => unknown;

/** A promise for the job; node's where it is not the engine's. `atOnce`: the fallback of one that is not accepted. */
export function startWithPromise(job: PoolJob | undefined, fallback: Fallback, atOnce: Fallback = fallback): unknown {
  const native = job === undefined ? undefined : pathEngine();
  const answer = native === undefined ? UNSUPPORTED : job!.accept(native, 0);
  if (answer === UNSUPPORTED) {
    countDelegated();
    announceChange();
    return atOnce();
  }
  return new Promise((resolve) => {
    settleWith(answer, new JobPromise(job!, ACCEPTED - answer, native!, resolve, fallback));
  });
}

class JobPromise extends BareRequest {
  constructor(
    readonly job: PoolJob,
    readonly slot: number,
    readonly native: Addon,
    readonly resolve: (value: unknown) => void,
    readonly fallback: Fallback,
  ) {
    super();
  }

  settle(result: number): void {
    const { job, resolve } = this;
    if (result >= 0) {
      resolve(job.value(result, this.slot, this.native));
    } else if (result === UNSUPPORTED) {
      countDelegated();
      resolve(this.fallback());
    } else if (result < UNSUPPORTED) {
      resolve(job.resume!(this.slot, this.native));
    } else {
      const path = shownFirst(job, this.slot, this.native);
      rejectWithSystemError(resolve, result, job.syscall, path, shownTarget(job));
    }
  }
}

/** The same for a callback; false for what node has to do at once. `fallback` serves it later. */
export function startWithCallback(job: PoolJob | undefined, callback: unknown, fallback: Fallback): boolean {
  const native = job === undefined || typeof callback !== 'function' ? undefined : pathEngine();
  const answer = native === undefined ? UNSUPPORTED : job!.accept(native, PATH_CALLBACK);
  if (answer === UNSUPPORTED) {
    announceChange();
    return false;
  }
  callBackTo(answer, new JobCallback(job!, ACCEPTED - answer, native!, callback as Callback, fallback));
  return true;
}

class JobCallback extends CallbackRequest {
  constructor(
    readonly job: PoolJob,
    readonly slot: number,
    readonly native: Addon,
    readonly callback: Callback,
    readonly fallback: Fallback,
  ) {
    super(undefined, job.chained);
  }

  finish(result: number): void {
    const { job, callback } = this;
    if (result >= 0) {
      this.succeed(result);
    } else if (result === UNSUPPORTED) {
      this.fallback();
    } else if (result < UNSUPPORTED) {
      callBackAfter(job.resume!(this.slot, this.native), callback);
    } else {
      const path = shownFirst(job, this.slot, this.native);
      callback(systemErrorWithoutFrames(result, job.syscall, path, shownTarget(job)));
    }
  }

  /** A value that cannot be made (a text beyond V8's limit) is an error like any other. */
  private succeed(result: number): void {
    const { job, callback } = this;
    let value: unknown;
    try {
      value = job.value(result, this.slot, this.native);
    } catch (error) {
      callback(error);
      return;
    }
    if (value instanceof Promise) callBackAfter(value, callback);
    else if (value === undefined) callback(null);
    else callback(null, value);
  }
}
