// Options of readFile, writeFile and appendFile, and what an abort does to them.

import { types } from 'node:util';
import { hostFs } from '../internal/host';

export interface WholeOptions {
  encoding: BufferEncoding | undefined;
  /** As the caller gave it, or the function's own. */
  flag: unknown;
  mode: unknown;
  flush: boolean;
  signal: AbortSignal | undefined;
}

function plainEncoding(value: unknown): BufferEncoding | undefined | false {
  if (value === undefined || value === null || value === '') return undefined;
  return typeof value === 'string' && Buffer.isEncoding(value) ? value : false;
}

function plainSignal(value: unknown): AbortSignal | undefined | false {
  if (value === undefined) return undefined;
  return value instanceof AbortSignal && !value.aborted ? value : false;
}

/**
 * Options that are plainly well formed, with a signal that has not been aborted yet; undefined for others, which
 * node:fs is to judge.
 */
export function plainOptions(options: unknown, flag: string): WholeOptions | undefined {
  const given = typeof options === 'string' ? { encoding: options } : (options ?? {});
  if (typeof given !== 'object') return undefined;
  const asked = given as Record<string, unknown>;
  const encoding = plainEncoding(asked.encoding);
  const signal = plainSignal(asked.signal);
  const { flush = false } = asked;
  if (encoding === false || signal === false || typeof flush !== 'boolean' || asked.flag === '') return undefined;
  // readFile of Node 26 fills a buffer of the caller's, if there is one.
  if (asked.buffer !== undefined) return undefined;
  return { encoding, signal, flush, flag: asked.flag || flag, mode: asked.mode };
}

// node's AbortError is internal, but a call with an aborted signal makes one at once, without looking at the path.
function abortError(signal: AbortSignal): unknown {
  let made: unknown;
  hostFs.readFile('/', { signal }, (error) => {
    made = error;
  });
  return made;
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortError(signal);
}

/**
 * `work` with the caller's promise rejected as soon as the signal is aborted. The work itself goes on up to its next
 * look at the signal: buffer and descriptor stay until the engine is done with them. Through a Proxy addEventListener does
 * not work: there the looks have to do, as they do in node.
 */
export function unlessAborted<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  if (signal === undefined || types.isProxy(signal)) return work();
  return new Promise<T>((resolve, reject) => {
    const stop = (): void => reject(abortError(signal));
    signal.addEventListener('abort', stop, { once: true });
    work()
      .finally(() => signal.removeEventListener('abort', stop))
      .then(resolve, reject);
  });
}
