// stat and lstat, as promises and with callbacks. Functions answer undefined or false for what node:fs has to judge.

import type { PathLike } from 'node:fs';
import { afterPoll } from '../engine/after-poll';
import { tryParsePath } from '../engine/arguments';
import { callFallback, kept, keptArguments, parsedOrUndefined } from '../engine/fallback';
import { callBackTo } from '../engine/requests';
import {
  promiseOfStat,
  StatCallback,
  statEngine,
  tryParseStatCallback,
  tryParseStatOptions,
} from '../engine/stat-request';
import { countDelegated } from '../engine/stats';
import { ACCEPTED, PATH_CALLBACK, PATH_NO_FOLLOW, UNSUPPORTED } from '../native/addon';
import { nodePromises } from '../node/promises';
import { makeStats } from '../node/stats';

type StatName = 'stat' | 'lstat';

function tryStat(name: StatName, path: unknown, options: unknown) {
  const bigint = options === undefined ? 0 : parsedOrUndefined(() => tryParseStatOptions(options));
  const native = bigint === undefined ? undefined : statEngine();
  const parsed = typeof path === 'string' ? path : tryParsePath(path);
  if (bigint === undefined || native === undefined || parsed === undefined) return undefined;
  const pathFlags = name === 'stat' ? bigint : bigint | PATH_NO_FOLLOW;
  const answer = native.stat(parsed, pathFlags);
  if (answer === 0) return afterPoll(makeStats(pathFlags));
  if (answer === UNSUPPORTED) return undefined;
  const later = kept(options);
  const fallback = (): Promise<unknown> => nodePromises[name](parsed as PathLike, later as never);
  return promiseOfStat(answer, pathFlags, name, parsed, fallback);
}

function statPromise(name: StatName, path: unknown, options: unknown): Promise<unknown> {
  const promise = tryStat(name, path, options);
  if (promise !== undefined) return promise;
  countDelegated();
  return nodePromises[name](path as PathLike, options as never);
}

/** Methods, because these are no constructors, as async functions are none; `async` itself would cost ticks. */
export const statPromises = {
  stat(path: unknown, options: unknown): Promise<unknown> {
    return statPromise('stat', path, options);
  },

  lstat(path: unknown, options: unknown): Promise<unknown> {
    return statPromise('lstat', path, options);
  },
};

function statWithCallback(name: StatName, args: IArguments): boolean {
  const form = tryParseStatCallback(args);
  const path = form === undefined ? undefined : tryParsePath(args[0]);
  if (form === undefined || path === undefined) return false;
  const pathFlags = name === 'stat' ? form.pathFlags : form.pathFlags | PATH_NO_FOLLOW;
  const answer = form.native.stat(path, pathFlags | PATH_CALLBACK);
  if (answer === UNSUPPORTED) return false;
  callBackTo(answer, new StatCallback(ACCEPTED - answer, pathFlags, name, path, keptArguments(args), form.callback));
  return true;
}

export function stat(_path: PathLike, _options: unknown, _callback: unknown): void {
  // biome-ignore lint/complexity/noArguments: the number of arguments is part of the call
  if (!statWithCallback('stat', arguments)) callFallback('stat', arguments);
}

export function lstat(_path: PathLike, _options: unknown, _callback: unknown): void {
  // biome-ignore lint/complexity/noArguments: the number of arguments is part of the call
  if (!statWithCallback('lstat', arguments)) callFallback('lstat', arguments);
}
