// access and exists. Functions answer undefined or false for what node:fs has to judge.

import type { PathLike } from 'node:fs';
import { afterPoll } from '../engine/after-poll';
import { shownPath, tryParsePath } from '../engine/arguments';
import { engine, pathsAreGuarded, UNSUPPORTED } from '../engine/engine';
import { type Callback, delegate } from '../engine/fallback';
import { callBackWith, settleWith } from '../engine/requests';
import { PATH_CALLBACK } from '../native/addon';
import { rejectWithSystemError, systemErrorWithoutFrames } from '../node/errors';

const MODES = 0o7;

/** F_OK, or any of R_OK, W_OK and X_OK; undefined for others. */
function tryParseAccessMode(mode: unknown): number | undefined {
  if (mode === undefined) return 0;
  return typeof mode === 'number' && (mode & MODES) === mode ? mode : undefined;
}

interface Plain {
  path: string | Uint8Array;
  answer: number;
}

function ask(path: unknown, mode: unknown, pathFlags: number): Plain | undefined {
  const parsedMode = tryParseAccessMode(mode);
  const plain = parsedMode === undefined ? undefined : tryParsePath(path);
  const native = plain === undefined || pathsAreGuarded() ? undefined : engine();
  if (plain === undefined || native === undefined) return undefined;
  const answer = native.access(plain, parsedMode!, pathFlags);
  return answer === UNSUPPORTED ? undefined : { path: plain, answer };
}

/** fs.promises.access. */
export function accessPath(path: unknown, mode: unknown, again: () => unknown): Promise<unknown> | undefined {
  const plain = ask(path, mode, 0);
  if (plain === undefined) return undefined;
  const { answer } = plain;
  if (answer === 0) return afterPoll(undefined);
  return new Promise((resolve) => {
    const settle = (result: number): void => {
      if (result === 0) resolve(undefined);
      else if (result !== UNSUPPORTED) rejectWithSystemError(resolve, result, 'access', shownPath(plain.path));
      else resolve(again());
    };
    settleWith(answer, { subject: undefined, callsBack: false, settle });
  });
}

/** Calls `done(error)`; false for what node has to do, as it does when `done` gets to know UNSUPPORTED. */
function accessWithCallback(path: unknown, mode: unknown, again: () => void, done: Callback): boolean {
  const plain = ask(path, mode, PATH_CALLBACK);
  if (plain === undefined) return false;
  callBackWith(plain.answer, undefined, (result) => {
    if (result === UNSUPPORTED) again();
    else done(result === 0 ? null : systemErrorWithoutFrames(result, 'access', shownPath(plain.path)));
  });
  return true;
}

export function access(path: PathLike, mode: unknown, callback: unknown): void {
  // biome-ignore lint/complexity/noArguments: the number of arguments is part of the call
  const args = arguments;
  const again = (): void => void delegate('access', args);
  const done = typeof mode === 'function' ? mode : callback;
  const asked = done === mode ? undefined : (mode ?? Number.NaN);
  if (typeof done !== 'function' || !accessWithCallback(path, asked, again, done as Callback)) again();
}

export function exists(path: PathLike, callback: unknown): void {
  // biome-ignore lint/complexity/noArguments: the number of arguments is part of the call
  const args = arguments;
  const again = (): void => void delegate('exists', args);
  const done = (error: unknown): void => (callback as Callback)(error === null);
  if (typeof callback !== 'function' || !accessWithCallback(path, undefined, again, done)) again();
}
