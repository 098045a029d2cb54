// FileHandle.readableWebStream. A stream of type 'bytes' reads through FileHandle.read and so through the engine; it is
// the only type since Node 24 and late versions of 22. Before that the default type reads through node's own native
// handle, past the engine: here it is put on top of the other one, which keeps node's locking, counting and closing of
// the handle.

import type { FileHandle } from 'node:fs/promises';
import type { ReadableStream as WebStream } from 'node:stream/web';
import { parsedOrUndefined } from '../engine/fallback';

/** As large as node's own chunks. */
const CHUNK_BYTES = 65536;

let bytesOnly: boolean | undefined;

/** Whether this Node has no other type. The change came with a minor version too, so the text of its method tells. */
function readsBytesOnly(method: Method): boolean {
  bytesOnly ??= !Function.prototype.toString.call(method).includes('StreamFromStreamBase');
  return bytesOnly;
}

type Method = (options: unknown) => unknown;
type Read = (...args: unknown[]) => Promise<{ bytesRead: number }>;

/** `method` is node's. */
export function webStreamOf(handle: FileHandle, options: unknown, method: Method): unknown {
  const fallback: Method = (value) => method.call(handle, value);
  if (readsBytesOnly(method)) return fallback(options);
  const values = options === undefined ? {} : options;
  // Odd options are node's to judge.
  const parsed = parsedOrUndefined(() => [(values as { type?: unknown }).type]);
  if (parsed === undefined || typeof values !== 'object') return fallback(options);
  const [type] = parsed;
  if (type === 'bytes' || (type !== undefined && typeof type !== 'string')) return fallback(options);
  const failure: Failure = { error: undefined };
  const bytes = withReadOf(handle, failure, () => fallback({ ...(values as object), type: 'bytes' }) as WebStream);
  return asBuffers(handle, bytes, failure);
}

interface Failure {
  error: unknown;
}

/**
 * Runs `make` while `handle.read` is one that never fails: node binds it there and then. A failure ends the inner
 * stream and is kept for the outer one; an inner stream that failed would be an unhandled rejection when node cancels
 * it at the closing of the handle.
 */
function withReadOf<T>(handle: FileHandle, failure: Failure, make: () => T): T {
  const target = handle as unknown as { read: Read };
  const own = Object.getOwnPropertyDescriptor(target, 'read');
  const { read } = target;
  const safe: Read = (...args) =>
    read.apply(handle, args).catch((error) => {
      failure.error = error;
      return { bytesRead: 0 };
    });
  Object.defineProperty(target, 'read', { value: safe, configurable: true });
  try {
    return make();
  } finally {
    if (own === undefined) Reflect.deleteProperty(target, 'read');
    else Object.defineProperty(target, 'read', own);
  }
}

/** A stream of ArrayBuffers over a stream of bytes. */
function asBuffers(handle: FileHandle, bytes: WebStream, failure: Failure): unknown {
  const { ReadableStream } = require('node:stream/web') as typeof import('node:stream/web');
  const reader = bytes.getReader({ mode: 'byob' });
  let ended = false;
  return new ReadableStream({
    start(controller) {
      // The end, a failure, or the closing of the handle: node cancels the stream then.
      const finish = (error?: unknown): void => {
        if (ended) return;
        ended = true;
        const why = failure.error ?? error;
        if (why === undefined) controller.close();
        else controller.error(why);
      };
      reader.closed.then(() => finish(), finish);
    },
    async pull(controller) {
      const { done, value } = await reader.read(new Uint8Array(CHUNK_BYTES));
      if (done || ended || value === undefined) return;
      const { buffer } = value;
      controller.enqueue(value.byteLength === buffer.byteLength ? buffer : buffer.slice(0, value.byteLength));
    },
    async cancel(reason) {
      ended = true;
      await reader.cancel(reason);
      // Cancelling ends node's native stream, and that closes the descriptor.
      await handle.close();
    },
  });
}
