// Options of readFile, writeFile and appendFile, and what an abort does to them.

import { setMaxListeners } from 'node:events';
import { types } from 'node:util';
import { nodeFs } from '../node/fs';
import { tryParseMode } from './arguments';

export interface FileOptions {
  encoding: BufferEncoding | undefined;
  /** As the caller gave it, or the function's own. */
  flag: unknown;
  mode: unknown;
  flush: boolean;
  signal: AbortSignal | undefined;
}

function tryParseEncoding(value: unknown): BufferEncoding | undefined | false {
  if (value === undefined || value === null || value === '') return undefined;
  return typeof value === 'string' && Buffer.isEncoding(value) ? value : false;
}

function tryParseSignal(value: unknown): AbortSignal | undefined | false {
  if (value === undefined) return undefined;
  return value instanceof AbortSignal && !value.aborted ? value : false;
}

/**
 * Options that are plainly well formed, with a signal that has not been aborted yet; undefined for others, which
 * node:fs is to judge.
 */
export function tryParseFileOptions(options: unknown, flag: string): FileOptions | undefined {
  const values = (typeof options === 'string' ? { encoding: options } : (options ?? {})) as Record<string, unknown>;
  if (typeof values !== 'object') return undefined;
  const encoding = tryParseEncoding(values.encoding);
  const signal = tryParseSignal(values.signal);
  const { flush = false } = values;
  const { flag: ownFlag, mode } = values;
  if (encoding === false || signal === false || typeof flush !== 'boolean') return undefined;
  // Also of an open file, which needs neither, Node 26 judges both.
  if (ownFlag === '' || Number.isNaN(ownFlag) || tryParseMode(mode) === undefined) return undefined;
  // readFile of Node 26 fills a buffer of the caller's, if there is one.
  if (values.buffer !== undefined) return undefined;
  return { encoding, signal, flush, flag: ownFlag || flag, mode };
}

// node's AbortError is internal, but a call with an aborted signal makes one at once, without looking at the path.
function abortError(signal: AbortSignal): unknown {
  let made: unknown;
  nodeFs.readFile('/', { signal }, (error) => {
    made = error;
  });
  return made;
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortError(signal);
}

const followers = new WeakMap<AbortSignal, AbortSignal>();

/**
 * A signal that aborts with the caller's. node listens to no signal here, so a listener on the caller's own would show:
 * in getEventListeners, and on Node 20 in a warning when there are eleven. Undefined where it cannot be had.
 */
function followerOf(signal: AbortSignal): AbortSignal | undefined {
  const known = followers.get(signal);
  if (known !== undefined) return known;
  const { any } = AbortSignal as { any?: (signals: AbortSignal[]) => AbortSignal };
  // Through a Proxy listening does not work.
  if (any === undefined || types.isProxy(signal)) return undefined;
  const follower = any.call(AbortSignal, [signal]);
  setMaxListeners(0, follower);
  followers.set(signal, follower);
  return follower;
}

/**
 * `work` with the caller's promise rejected as soon as the signal is aborted. The work itself goes on up to its next
 * look at the signal: buffer and descriptor stay until the engine is done with them. Without a follower the looks have
 * to do, as they do in node.
 */
export function unlessAborted<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  const follower = signal === undefined ? undefined : followerOf(signal);
  if (signal === undefined || follower === undefined) return work();
  return new Promise<T>((resolve, reject) => {
    const stop = (): void => reject(abortError(signal));
    follower.addEventListener('abort', stop, { once: true });
    work()
      .finally(() => follower.removeEventListener('abort', stop))
      .then(resolve, reject);
  });
}
