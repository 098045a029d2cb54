// utimes and lutimes as one pool job, with callbacks and as promises.

import { tryParsePath, tryParseTime } from '../engine/arguments';
import type { Path, PoolJob } from '../engine/pool-job';
import { type Addon, PATH_NO_FOLLOW } from '../native/addon';
import { uvHabits } from '../node/uv';
import { callbackForm, promiseForm, type TryParseJob } from './pool-job-forms';

class TimesJob implements PoolJob {
  constructor(
    readonly syscall: string,
    readonly path: Path,
    readonly accessed: number,
    readonly modified: number,
    readonly flags: number,
  ) {}

  get chained(): boolean {
    return false;
  }

  accept(native: Addon, pathFlags: number): number {
    const { path, accessed, modified, flags } = this;
    return native.setTimes(path, accessed, modified, uvHabits!.timesInMicroseconds, pathFlags | flags);
  }

  value(): undefined {
    return undefined;
  }
}

/** `syscall`: what libuv calls it in errors. */
const tryParse =
  (syscall: string, flags: number): TryParseJob =>
  (file, atime, mtime) => {
    const path = uvHabits === undefined ? undefined : tryParsePath(file);
    const accessed = path === undefined ? undefined : tryParseTime(atime);
    const modified = accessed === undefined ? undefined : tryParseTime(mtime);
    return modified === undefined ? undefined : new TimesJob(syscall, path!, accessed!, modified, flags);
  };

const tryParseUtimes = tryParse('utime', 0);
const tryParseLutimes = tryParse('lutime', PATH_NO_FOLLOW);

export const utimes = callbackForm('utimes', tryParseUtimes, { required: 3 });
export const lutimes = callbackForm('lutimes', tryParseLutimes, { required: 3 });
export const utimesPromise = promiseForm('utimes', tryParseUtimes);
export const lutimesPromise = promiseForm('lutimes', tryParseLutimes);
