// fstat and FileHandle.stat: the attributes of an open file. Functions answer undefined or false for what node:fs has
// to judge.

import { afterTicks } from '../engine/after-ticks';
import { isDescriptor } from '../engine/arguments';
import { callFallback } from '../engine/fallback';
import { callBackTo } from '../engine/requests';
import {
  promiseOfStat,
  StatCallback,
  type StatFallback,
  statEngine,
  tryParseStatCallback,
  tryParseStatOptions,
} from '../engine/stat-request';
import { ACCEPTED, FLAG_CALLBACK, FLAG_TRUSTED, UNSUPPORTED } from '../native/addon';
import { makeStats } from '../node/stats';

/** FileHandle.stat. `hold` counts the handle as busy and answers what ends that, so that its close waits. */
export function statHandle(fd: number, options: unknown, fallback: StatFallback, hold: () => () => void) {
  const pathFlags = tryParseStatOptions(options);
  const native = pathFlags === undefined ? undefined : statEngine();
  if (pathFlags === undefined || native === undefined) return undefined;
  const answer = native.fstat(fd, pathFlags, FLAG_TRUSTED);
  if (answer === 0) return afterTicks(makeStats(pathFlags));
  if (answer === UNSUPPORTED) return undefined;
  return promiseOfStat(answer, pathFlags, 'fstat', undefined, fallback, hold());
}

function fstatWithCallback(args: IArguments): boolean {
  const form = tryParseStatCallback(args);
  const fd = args[0];
  if (form === undefined || !isDescriptor(fd)) return false;
  const answer = form.native.fstat(fd, form.pathFlags, FLAG_CALLBACK);
  if (answer === UNSUPPORTED) return false;
  callBackTo(answer, new StatCallback(ACCEPTED - answer, form.pathFlags, 'fstat', undefined, args, form.callback));
  return true;
}

export function fstat(_fd: unknown, _options: unknown, _callback: unknown): void {
  // biome-ignore lint/complexity/noArguments: the number of arguments is part of the call
  if (!fstatWithCallback(arguments)) callFallback('fstat', arguments);
}
