// What stats() tells: operations and bytes per lane and kind of filesystem, of this thread's engine.

import { runningEngine } from './backend-choice';
import { type FilesystemKind, KINDS } from './filesystem-kinds';

/** What one lane has served. */
export interface LaneStats {
  /** Operations settled since the engine of the thread started, failed ones included. */
  operations: number;
  /** Bytes read or written by them. */
  bytes: number;
}

/** Counters of the calling thread's engine. They only grow, `inFlight` and `queued` aside. */
export interface Stats {
  /** Who served what. An operation counts in the lane that completed it. */
  lanes: {
    /** Served at once on the calling thread, from the page cache (preadv2(2) with RWF_NOWAIT) or the dentry cache. */
    inline: LaneStats;
    /** Served by the thread's ring, see io_uring(7). */
    uring: LaneStats;
    /** Served by the thread's context, see io_submit(2). */
    aio: LaneStats;
    /** Served by the engine's own pool, with plain system calls. */
    threads: LaneStats;
    /** Asynchronous calls handed to node:fs: what the engine does not serve, and arguments that are node's to judge. */
    delegated: LaneStats;
  };
  /**
   * Requests that the kernel queue holds (at most `backend().depth`) or a thread of the pool works on now.
   */
  inFlight: number;
  /** Requests accepted and waiting: for room, for the next submit, or behind another on the same descriptor. */
  queued: number;
  /** Attempts that a lane could not serve without waiting, and another took over. */
  fallbacks: number;
  /** Requests that were merged into an adjacent one's operation. */
  merged: number;
  /**
   * Mounts that kept an inline call waiting, whose files the pool serves for a while (0.1 to 60 s), and how often that
   * came.
   */
  inlineBarred: { mounts: number; times: number };
  /** What the engine has served, by the kind of filesystem that it was on; `delegated` is not in it. */
  kinds: Record<FilesystemKind, LaneStats>;
}

const delegated: LaneStats = { operations: 0, bytes: 0 };

/** Counts one asynchronous call handed to node:fs, and its bytes once they are known. */
export function countDelegated(bytes = 0): void {
  delegated.operations++;
  delegated.bytes += bytes;
}

export function countDelegatedBytes(bytes: number): void {
  delegated.bytes += bytes;
}

/**
 * Counters of the calling thread's engine since it started; zeros before the first operation, which this does not
 * start. A new object at each call; costs about a microsecond. Never throws.
 */
export function stats(): Stats {
  const figures = runningEngine()?.native.stats() ?? [];
  const figure = (index: number): number => figures[index] ?? 0;
  const lane = (index: number): LaneStats => ({ operations: figure(index * 2), bytes: figure(index * 2 + 1) });
  return {
    lanes: { inline: lane(0), uring: lane(1), aio: lane(2), threads: lane(3), delegated: { ...delegated } },
    inFlight: figure(8),
    queued: figure(9),
    fallbacks: figure(10),
    merged: figure(11),
    inlineBarred: { mounts: figure(12), times: figure(13) },
    kinds: Object.fromEntries(KINDS.map((kind, index) => [kind, lane(7 + index)])) as Stats['kinds'],
  };
}
