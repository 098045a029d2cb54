// stat, lstat and fstat: of a path, a descriptor or a FileHandle. Functions answer undefined or false for what node:fs
// has to judge.

import type { PathLike } from 'node:fs';
import { afterPoll } from '../engine/after-poll';
import { afterTicks } from '../engine/after-ticks';
import { isDescriptor, shownPath, tryParsePath } from '../engine/arguments';
import { countDelegated, engine, pathsAreGuarded, startedEngine, UNSUPPORTED } from '../engine/engine';
import { type Callback, delegate } from '../engine/fallback';
import { CallbackRequest, callBackTo, type Pending, settleWith } from '../engine/requests';
import {
  ACCEPTED,
  type Addon,
  FLAG_CALLBACK,
  FLAG_TRUSTED,
  PATH_BIGINT,
  PATH_CALLBACK,
  PATH_NO_FOLLOW,
} from '../native/addon';
import { rejectWithSystemError, systemErrorWithoutFrames } from '../node/errors';
import { canMakeStats, makeStats } from '../node/stats';

export type StatName = 'stat' | 'lstat';
type Path = string | Uint8Array;

/** PATH_BIGINT or 0; undefined for options that node:fs is to judge, and for those that only newer versions know. */
function tryParseStatOptions(options: unknown): number | undefined {
  if (options === undefined) return 0;
  if (typeof options !== 'object' || options === null) return undefined;
  for (const key in options) if (key !== 'bigint') return undefined;
  const { bigint } = options as { bigint?: unknown };
  if (typeof bigint !== 'boolean') return undefined;
  return bigint ? PATH_BIGINT : 0;
}

/** The engine where it may be asked for attributes. */
function asked(): Addon | undefined {
  const native = pathsAreGuarded() ? undefined : engine();
  return native !== undefined && canMakeStats() ? native : undefined;
}

/** How node serves the call after all: what an accepted one turned out to need. */
type Again = () => unknown;

class StatRequest implements Pending {
  constructor(
    readonly resolve: (value: unknown) => void,
    readonly slot: number,
    readonly pathFlags: number,
    readonly syscall: string,
    readonly path: Path | undefined,
    readonly again: Again,
    readonly released: (() => void) | undefined,
  ) {}

  get subject(): undefined {
    return undefined;
  }

  get callsBack(): boolean {
    return false;
  }

  settle(result: number): void {
    const { resolve, pathFlags, path } = this;
    if (result === 0) {
      startedEngine()!.takeStat(this.slot, pathFlags);
      resolve(makeStats(pathFlags));
    } else if (result === UNSUPPORTED) {
      countDelegated();
      resolve(this.again());
    } else {
      rejectWithSystemError(resolve, result, this.syscall, path === undefined ? undefined : shownPath(path));
    }
    this.released?.();
  }
}

/** A promise of the attributes that an accepted request brings. */
function promised(
  answer: number,
  pathFlags: number,
  syscall: string,
  path: Path | undefined,
  again: Again,
  released?: () => void,
): Promise<unknown> {
  return new Promise((resolve) => {
    const slot = ACCEPTED - answer;
    settleWith(answer, new StatRequest(resolve, slot, pathFlags, syscall, path, again, released));
  });
}

/** fs.promises.stat and lstat. */
export function statPath(name: StatName, path: unknown, options: unknown, again: Again): Promise<unknown> | undefined {
  const whole = tryParseStatOptions(options);
  const native = whole === undefined ? undefined : asked();
  const plain = typeof path === 'string' ? path : tryParsePath(path);
  if (whole === undefined || native === undefined || plain === undefined) return undefined;
  const pathFlags = name === 'stat' ? whole : whole | PATH_NO_FOLLOW;
  const answer = native.stat(plain, pathFlags);
  if (answer === 0) return afterPoll(makeStats(pathFlags));
  return answer === UNSUPPORTED ? undefined : promised(answer, pathFlags, name, plain, again);
}

/** FileHandle.stat. `hold` counts the handle as busy and answers what ends that, so that its close waits. */
export function statHandle(fd: number, options: unknown, again: Again, hold: () => () => void) {
  const pathFlags = tryParseStatOptions(options);
  const native = pathFlags === undefined ? undefined : asked();
  if (pathFlags === undefined || native === undefined) return undefined;
  const answer = native.fstat(fd, pathFlags, FLAG_TRUSTED);
  if (answer === 0) return afterTicks(makeStats(pathFlags));
  if (answer === UNSUPPORTED) return undefined;
  return promised(answer, pathFlags, 'fstat', undefined, again, hold());
}

class StatCallback extends CallbackRequest {
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
      delegate(name, this.args);
    } else {
      callback(systemErrorWithoutFrames(result, name, path === undefined ? undefined : shownPath(path)));
    }
  }
}

/** (subject, callback) or (subject, options, callback), plainly well formed. */
function callbackForm(args: IArguments): { pathFlags: number; callback: Callback; native: Addon } | undefined {
  const [, options, last] = args as unknown as unknown[];
  const callback = typeof options === 'function' ? options : last;
  const pathFlags = tryParseStatOptions(typeof options === 'function' ? undefined : options);
  const native = asked();
  if (typeof callback !== 'function' || pathFlags === undefined || native === undefined) return undefined;
  return { pathFlags, callback: callback as Callback, native };
}

function statWithCallback(name: StatName, args: IArguments): boolean {
  const form = callbackForm(args);
  const path = form === undefined ? undefined : tryParsePath(args[0]);
  if (form === undefined || path === undefined) return false;
  const pathFlags = name === 'stat' ? form.pathFlags : form.pathFlags | PATH_NO_FOLLOW;
  const answer = form.native.stat(path, pathFlags | PATH_CALLBACK);
  if (answer === UNSUPPORTED) return false;
  callBackTo(answer, new StatCallback(ACCEPTED - answer, pathFlags, name, path, args, form.callback));
  return true;
}

function fstatWithCallback(args: IArguments): boolean {
  const form = callbackForm(args);
  const fd = args[0];
  if (form === undefined || !isDescriptor(fd)) return false;
  const answer = form.native.fstat(fd, form.pathFlags, FLAG_CALLBACK);
  if (answer === UNSUPPORTED) return false;
  callBackTo(answer, new StatCallback(ACCEPTED - answer, form.pathFlags, 'fstat', undefined, args, form.callback));
  return true;
}

export function stat(_path: PathLike, _options: unknown, _callback: unknown): void {
  // biome-ignore lint/complexity/noArguments: the number of arguments is part of the call
  if (!statWithCallback('stat', arguments)) delegate('stat', arguments);
}

export function lstat(_path: PathLike, _options: unknown, _callback: unknown): void {
  // biome-ignore lint/complexity/noArguments: the number of arguments is part of the call
  if (!statWithCallback('lstat', arguments)) delegate('lstat', arguments);
}

export function fstat(_fd: unknown, _options: unknown, _callback: unknown): void {
  // biome-ignore lint/complexity/noArguments: the number of arguments is part of the call
  if (!fstatWithCallback(arguments)) delegate('fstat', arguments);
}
