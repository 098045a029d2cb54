// One call on a path that goes to the pool: from the engine's answer to a promise or a callback.

import { startedEngine } from '../engine/choice';
import { CallbackRequest, callBackTo, settleWith } from '../engine/requests';
import { countDelegated, engine, NOT_TAKEN, pathsAreGuarded } from '../engine/runtime';
import { shownPath } from '../internal/arguments';
import { rejectWithSystemError, systemErrorWithoutFrames } from '../internal/errors';
import { ACCEPTED, type Addon, PATH_CALLBACK } from '../native/addon';
import { callBackAfter } from './call-back-after';
import type { Callback } from './callback-call';

export type Path = string | Uint8Array;

/** A call as the engine takes it. */
export interface PathCall {
  /** What an error names. */
  readonly syscall: string;
  readonly path: Path;
  /** The second path of a call that has two, as an error shows it. */
  readonly target?: Path;
  /** Node makes several requests of it. */
  readonly chained: boolean;
  /** Hands it to the engine, which answers NOT_TAKEN or a slot. */
  accept(native: Addon, pathFlags: number): number;
  /** What the call brings, for a result at or above 0. Runs no foreign code. */
  value(result: number, slot: number, native: Addon): unknown;
  /** The rest of a call that one trip has begun: a result below NOT_TAKEN. */
  goOn?(slot: number, native: Addon): Promise<unknown>;
}

const shownTarget = ({ target }: PathCall): string | undefined =>
  target === undefined ? undefined : shownPath(target);

/** The engine where it may be asked about paths. */
export function pathEngine(): Addon | undefined {
  return pathsAreGuarded() ? undefined : engine();
}

/** How node serves the call after all. */
type Again = () => unknown;

/** Tells the engine of a call that node:fs serves: no later one is to be answered ahead of it. */
export function announceChange(): void {
  startedEngine()?.native.pathsChangeElsewhere();
}

/** A promise for the call; node's where it is not the engine's. */
export function promised(call: PathCall | undefined, again: Again): unknown {
  const native = call === undefined ? undefined : pathEngine();
  const answer = native === undefined ? NOT_TAKEN : call!.accept(native, 0);
  if (answer === NOT_TAKEN) {
    countDelegated();
    announceChange();
    return again();
  }
  return new Promise((resolve) => {
    settleWith(answer, new PathPromise(call!, ACCEPTED - answer, native!, resolve, again));
  });
}

class PathPromise {
  constructor(
    readonly call: PathCall,
    readonly slot: number,
    readonly native: Addon,
    readonly resolve: (value: unknown) => void,
    readonly again: Again,
  ) {}

  get subject(): undefined {
    return undefined;
  }

  get callsBack(): boolean {
    return false;
  }

  settle(result: number): void {
    const { call, resolve } = this;
    if (result >= 0) {
      resolve(call.value(result, this.slot, this.native));
    } else if (result === NOT_TAKEN) {
      countDelegated();
      resolve(this.again());
    } else if (result < NOT_TAKEN) {
      resolve(call.goOn!(this.slot, this.native));
    } else {
      rejectWithSystemError(resolve, result, call.syscall, shownPath(call.path), shownTarget(call));
    }
  }
}

/** The same for a callback; false for what node has to do, as it does when `again` is called. */
export function calledBack(call: PathCall | undefined, callback: unknown, again: Again): boolean {
  const native = call === undefined || typeof callback !== 'function' ? undefined : pathEngine();
  const answer = native === undefined ? NOT_TAKEN : call!.accept(native, PATH_CALLBACK);
  if (answer === NOT_TAKEN) {
    announceChange();
    return false;
  }
  callBackTo(answer, new PathCallback(call!, ACCEPTED - answer, native!, callback as Callback, again));
  return true;
}

class PathCallback extends CallbackRequest {
  constructor(
    readonly call: PathCall,
    readonly slot: number,
    readonly native: Addon,
    readonly callback: Callback,
    readonly again: Again,
  ) {
    super(undefined, call.chained);
  }

  finish(result: number): void {
    const { call, callback } = this;
    if (result >= 0) {
      this.succeed(result);
    } else if (result === NOT_TAKEN) {
      this.again();
    } else if (result < NOT_TAKEN) {
      callBackAfter(call.goOn!(this.slot, this.native), callback);
    } else {
      callback(systemErrorWithoutFrames(result, call.syscall, shownPath(call.path), shownTarget(call)));
    }
  }

  /** A value that cannot be made (a text beyond V8's limit) is an error like any other. */
  private succeed(result: number): void {
    const { call, callback } = this;
    let value: unknown;
    try {
      value = call.value(result, this.slot, this.native);
    } catch (error) {
      callback(error);
      return;
    }
    if (value === undefined) callback(null);
    else callback(null, value);
  }
}
