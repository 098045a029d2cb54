// access and exists, with callbacks and as a promise. Functions answer undefined or false for what node:fs has to
// judge.

import type { PathLike } from 'node:fs';
import { afterPoll } from '../engine/after-poll';
import { shownPath, tryParsePath } from '../engine/arguments';
import type { Callback } from '../engine/callbacks';
import { engine, pathsAreGuarded } from '../engine/engine';
import { callFallback, keptArguments } from '../engine/fallback';
import { callBackWith, settleWith } from '../engine/requests';
import { countDelegated } from '../engine/stats';
import { PATH_CALLBACK, UNSUPPORTED } from '../native/addon';
import { rejectWithSystemError, systemErrorWithoutFrames } from '../node/errors';
import { nodePromises } from '../node/promises';

const MODES = 0o7;

/** F_OK, or any of R_OK, W_OK and X_OK; undefined for others. */
function tryParseAccessMode(mode: unknown): number | undefined {
  if (mode === undefined) return 0;
  return typeof mode === 'number' && (mode & MODES) === mode ? mode : undefined;
}

interface Accepted {
  path: string | Uint8Array;
  answer: number;
}

function accept(value: unknown, mode: unknown, pathFlags: number): Accepted | undefined {
  const bits = tryParseAccessMode(mode);
  const path = bits === undefined ? undefined : tryParsePath(value);
  const native = path === undefined || pathsAreGuarded() ? undefined : engine();
  if (path === undefined || native === undefined) return undefined;
  const answer = native.access(path, bits!, pathFlags);
  return answer === UNSUPPORTED ? undefined : { path, answer };
}

function tryAccess(path: unknown, mode: unknown): Promise<unknown> | undefined {
  const accepted = accept(path, mode, 0);
  if (accepted === undefined) return undefined;
  const { answer } = accepted;
  if (answer === 0) return afterPoll(undefined);
  return new Promise((resolve) => {
    const settle = (result: number): void => {
      if (result === 0) resolve(undefined);
      else if (result !== UNSUPPORTED) rejectWithSystemError(resolve, result, 'access', shownPath(accepted.path));
      else resolve(nodePromises.access(accepted.path as PathLike, mode as number));
    };
    settleWith(answer, { keepAlive: undefined, callsBack: false, settle });
  });
}

/** fs.promises.access. */
export function accessPromise(path: unknown, mode: unknown): Promise<unknown> {
  const promise = tryAccess(path, mode);
  if (promise !== undefined) return promise;
  countDelegated();
  return nodePromises.access(path as PathLike, mode as number);
}

/** Calls `done(error)`; false for what node has to do at once. `fallback` serves it later. */
function tryAccessWithCallback(path: unknown, mode: unknown, fallback: () => void, done: Callback): boolean {
  const accepted = accept(path, mode, PATH_CALLBACK);
  if (accepted === undefined) return false;
  callBackWith(accepted.answer, undefined, (result) => {
    if (result === UNSUPPORTED) fallback();
    else done(result === 0 ? null : systemErrorWithoutFrames(result, 'access', shownPath(accepted.path)));
  });
  return true;
}

export function access(path: PathLike, mode: unknown, last: unknown): void {
  // biome-ignore lint/complexity/noArguments: the number of arguments is part of the call
  const args = arguments;
  const later = keptArguments(args);
  const fallback = (): void => void callFallback('access', later);
  const callback = typeof mode === 'function' ? mode : last;
  // A missing mode is F_OK only where the callback stands in its place.
  const bits = callback === mode ? undefined : (mode ?? Number.NaN);
  if (typeof callback !== 'function' || !tryAccessWithCallback(path, bits, fallback, callback as Callback))
    callFallback('access', args);
}

export function exists(path: PathLike, callback: unknown): void {
  // biome-ignore lint/complexity/noArguments: the number of arguments is part of the call
  const args = arguments;
  const later = keptArguments(args);
  const fallback = (): void => void callFallback('exists', later);
  const done = (error: unknown): void => (callback as Callback)(error === null);
  if (typeof callback !== 'function' || !tryAccessWithCallback(path, undefined, fallback, done))
    callFallback('exists', args);
}
