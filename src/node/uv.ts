// How the libuv of the running Node copies files and rounds times. A version that is not known leaves both to node.

import { COPY_IGNORES_TIMES, COPY_TIMES_AND_OWNER } from '../native/addon';

interface Habits {
  /** 1: times are set to whole microseconds; 0: to nanoseconds. */
  timesInMicroseconds: number;
  /** What copyFile does besides copying content and mode. */
  copyOptions: number;
}

function habitsOf(version: string | undefined): Habits | undefined {
  const [major, minor, patch] = (version ?? '').split('.', 3).map(Number) as [number, number, number];
  // 1.43 is the oldest that was looked at, 1.52 the newest.
  if (major !== 1 || !(minor >= 43 && minor <= 52)) return undefined;
  const ignoresTimes = minor === 52 && patch > 1 ? COPY_IGNORES_TIMES : 0;
  return {
    timesInMicroseconds: minor < 52 ? 1 : 0,
    copyOptions: minor < 49 ? 0 : COPY_TIMES_AND_OWNER | ignoresTimes,
  };
}

export const uvHabits: Habits | undefined = habitsOf(process.versions.uv);
