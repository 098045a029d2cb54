// A request for the attributes of a path or an open file, and how the answer becomes a Stats object for a promise or a
// callback.

import { ACCEPTED, type Addon, PATH_BIGINT, UNSUPPORTED } from '../native/addon';
import { rejectWithSystemError, systemErrorWithoutFrames } from '../node/errors';
import { canMakeStats, makeStats } from '../node/stats';
import { shownPath } from './arguments';
import type { Callback } from './callbacks';
import { engine, pathsAreGuarded, startedEngine } from './engine';
import { callFallback } from './fallback';
import { BareRequest, CallbackRequest, settleWith } from './requests';
import { countDelegated } from './stats';

type Path = string | Uint8Array;

/** How node serves the call after all: what an accepted one turned out to need. */
export type StatFallback = () => unknown;

/** PATH_BIGINT or 0; undefined for options that node:fs is to judge, and for those that only newer versions know. */
export function tryParseStatOptions(options: unknown): number | undefined {
  if (options === undefined) return 0;
  if (typeof options !== 'object' || options === null) return undefined;
  for (const key in options) if (key !== 'bigint') return undefined;
  const { bigint } = options as { bigint?: unknown };
  if (typeof bigint !== 'boolean') return undefined;
  return bigint ? PATH_BIGINT : 0;
}

/** The engine where its attributes can be handed out. */
export function statEngine(): Addon | undefined {
  const native = pathsAreGuarded() ? undefined : engine();
  return native !== undefined && canMakeStats() ? native : undefined;
}

class StatRequest extends BareRequest {
  constructor(
    readonly resolve: (value: unknown) => void,
    readonly slot: number,
    readonly pathFlags: number,
    readonly syscall: string,
    readonly path: Path | undefined,
    readonly fallback: StatFallback,
    readonly released: (() => void) | undefined,
  ) {
    super();
  }

  settle(result: number): void {
    const { resolve, pathFlags, path } = this;
    if (result === 0) {
      startedEngine()!.takeStat(this.slot, pathFlags);
      resolve(makeStats(pathFlags));
    } else if (result === UNSUPPORTED) {
      countDelegated();
      resolve(this.fallback());
    } else {
      rejectWithSystemError(resolve, result, this.syscall, path === undefined ? undefined : shownPath(path));
    }
    this.released?.();
  }
}

/** A promise of the attributes that an accepted request brings. `released` is called at its end. */
export function promiseOfStat(
  answer: number,
  pathFlags: number,
  syscall: string,
  path: Path | undefined,
  fallback: StatFallback,
  released?: () => void,
): Promise<unknown> {
  return new Promise((resolve) => {
    const slot = ACCEPTED - answer;
    settleWith(answer, new StatRequest(resolve, slot, pathFlags, syscall, path, fallback, released));
  });
}

export class StatCallback extends CallbackRequest {
  constructor(
    readonly slot: number,
    readonly pathFlags: number,
    readonly name: string,
    readonly path: Path | undefined,
    readonly args: ArrayLike<unknown>,
    readonly callback: Callback,
  ) {
    super(undefined);
  }

  finish(result: number): void {
    const { callback, pathFlags, path, name } = this;
    if (result === 0) {
      startedEngine()!.takeStat(this.slot, pathFlags);
      callback(null, makeStats(pathFlags));
    } else if (result === UNSUPPORTED) {
      callFallback(name, this.args);
    } else {
      callback(systemErrorWithoutFrames(result, name, path === undefined ? undefined : shownPath(path)));
    }
  }
}

/** The arguments (file, callback) or (file, options, callback), plainly well formed. */
export function tryParseStatCallback(
  args: IArguments,
): { pathFlags: number; callback: Callback; native: Addon } | undefined {
  const [, options, last] = args as unknown as unknown[];
  const callback = typeof options === 'function' ? options : last;
  const pathFlags = tryParseStatOptions(typeof options === 'function' ? undefined : options);
  const native = statEngine();
  if (typeof callback !== 'function' || pathFlags === undefined || native === undefined) return undefined;
  return { pathFlags, callback: callback as Callback, native };
}
