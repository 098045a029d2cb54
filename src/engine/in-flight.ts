// Calls that have not settled: what an operator asks for when something hangs.

import type { CallFields } from '../native/addon';
import { runningEngine } from './backend-choice';
import { type FilesystemKind, KINDS } from './filesystem-kinds';

/** A call that the engine has accepted and not settled. */
export interface CallInFlight {
  /**
   * The function of node:fs, such as `stat` or `Dir.read`. A call that takes several steps shows the one that it is at:
   * a stream is in `open` or `read`.
   */
  function: string;
  /** As the call has it; of an open file what it was opened as, if that has a name. */
  path?: string;
  /** The second path of a call on two. */
  target?: string;
  /** The descriptor of an open file. */
  fd?: number;
  /** The mount point that the path or file is on. */
  mount?: string;
  /** Of the filesystem there. */
  kind: FilesystemKind;
  /** Who is to serve it. */
  lane: 'inline' | 'uring' | 'aio' | 'threads';
  /** Since the call, in milliseconds; exact to the tick of the kernel's clock, 1 to 10 ms. */
  ageMs: number;
}

const LANES = ['inline', 'uring', 'aio', 'threads'] as const;

export function callOf([name, path, target, fd, mount, kind, lane, ageMs]: CallFields): CallInFlight {
  return {
    function: name,
    ...(path === '' ? {} : { path }),
    ...(target === '' ? {} : { target }),
    ...(fd < 0 ? {} : { fd }),
    ...(mount === '' ? {} : { mount }),
    kind: KINDS[kind]!,
    lane: LANES[lane]!,
    ageMs,
  };
}

/**
 * Calls of the calling thread that the engine has accepted and not settled, the oldest first. One that was aborted is
 * among them until the kernel gives it back. What node:fs serves is not: the engine does not know of its end. Starts no
 * engine, asks no filesystem, and costs a few microseconds for each call that it lists, and nothing before.
 *
 * @param options `olderThanMs`: only calls of at least this age; 0 if not given.
 * @throws {RangeError} where that is no number at or above 0.
 */
export function inFlight(options: { olderThanMs?: number } = {}): CallInFlight[] {
  const { olderThanMs = 0 } = options;
  if (typeof olderThanMs !== 'number' || !(olderThanMs >= 0)) {
    throw new RangeError(`olderThanMs is to be a number at or above 0, and is ${String(olderThanMs)}`);
  }
  const native = runningEngine()?.native;
  return native === undefined ? [] : native.inFlight(Math.min(olderThanMs, Number.MAX_SAFE_INTEGER)).map(callOf);
}
