// readFile, writeFile and appendFile: of a path, a descriptor or a FileHandle.

import type { FileHandle } from 'node:fs/promises';
import { countDelegated, engine, FLAG_TRUSTED, NOT_TAKEN } from '../engine/runtime';
import { countDelegatedBytes } from '../engine/stats';
import { CURRENT, isDescriptor, isPlainView } from '../internal/arguments';
import { hostFs } from '../internal/host';
import { notTaken, readStep, sizeStep, syncStep, writeAll } from './descriptor-io';
import { closeDescriptor } from './handle-class';
import { openDescriptor, plainOpen } from './open';

/** Keeps a FileHandle counted as busy while `work` runs, so that its close waits. */
export type Held = <T>(handle: FileHandle, work: () => Promise<T>) => Promise<T>;

const READ_BYTES_MAX = 2 ** 31 - 1; // node refuses larger files: ERR_FS_FILE_TOO_LARGE
const CHUNK_BYTES = 512 * 1024; // what node reads and writes between two looks at the signal
const UNKNOWN_SIZE_CHUNK_BYTES = 64 * 1024;

interface ReadOptions {
  encoding: BufferEncoding | undefined;
  flag: unknown;
  signal: AbortSignal | undefined;
}

interface WriteOptions extends ReadOptions {
  mode: unknown;
  flush: boolean;
}

function plainEncoding(value: unknown): BufferEncoding | undefined | false {
  if (value === undefined || value === null || value === 'buffer') return undefined;
  return typeof value === 'string' && Buffer.isEncoding(value) ? value : false;
}

function plainSignal(value: unknown): AbortSignal | undefined | false {
  if (value === undefined) return undefined;
  return value instanceof AbortSignal ? value : false;
}

/** Options that are plainly well formed; undefined for others, which node:fs is to judge. */
function plainOptions(options: unknown, flag: string): WriteOptions | undefined {
  const given = typeof options === 'string' ? { encoding: options } : (options ?? {});
  if (typeof given !== 'object' || typeof options === 'function') return undefined;
  const read = given as Record<string, unknown>;
  const encoding = plainEncoding(read.encoding);
  const signal = plainSignal(read.signal);
  const { flush = false } = read;
  if (encoding === false || signal === false || typeof flush !== 'boolean') return undefined;
  return { encoding, signal, flush, flag: read.flag ?? flag, mode: read.mode };
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (!signal?.aborted) return;
  // node's AbortError is internal; any API of node that takes a signal makes one.
  throw abortError(signal);
}

function abortError(signal: AbortSignal): Error {
  const error = new Error('The operation was aborted', { cause: signal.reason }) as NodeJS.ErrnoException;
  error.name = 'AbortError';
  error.code = 'ABORT_ERR';
  return error;
}

/** Reads `size` bytes, or to the end when that comes first; size 0 means unknown. `start` -1: from the file position. */
async function readToEnd(
  fd: number,
  size: number,
  start: number,
  requestFlags: number,
  signal: AbortSignal | undefined,
): Promise<Buffer> {
  let buffer = Buffer.allocUnsafeSlow(size === 0 ? UNKNOWN_SIZE_CHUNK_BYTES : size);
  let done = 0;
  for (;;) {
    throwIfAborted(signal);
    if (done === buffer.byteLength) {
      if (size !== 0) break;
      buffer = Buffer.concat([buffer], buffer.byteLength * 2);
    }
    const room = buffer.byteLength - done;
    const length = signal === undefined ? room : Math.min(room, CHUNK_BYTES);
    const bytes = await readStep(fd, buffer, done, length, start < 0 ? CURRENT : start + done, requestFlags);
    done += bytes;
    if (bytes === 0) break;
  }
  return done === buffer.byteLength ? buffer : buffer.subarray(0, done);
}

function decoded(buffer: Buffer, encoding: BufferEncoding | undefined): Buffer | string {
  return encoding === undefined ? buffer : buffer.toString(encoding);
}

async function closingAfter<T>(fd: number, work: () => Promise<T>): Promise<T> {
  let result: T;
  try {
    result = await work();
  } catch (error) {
    try {
      await closeDescriptor(fd);
    } catch (closeError) {
      throw new AggregateError([error, closeError], (error as Error).message);
    }
    throw error;
  }
  await closeDescriptor(fd);
  return result;
}

/** Runs `call` of node:fs and counts it as delegated. */
function byNode<T>(call: (callback: (error: unknown, value?: T) => void) => void): Promise<T> {
  countDelegated();
  return new Promise((resolve, reject) => {
    call((error, value) => {
      if (error !== null && error !== undefined) return reject(error);
      if (value instanceof Uint8Array || typeof value === 'string') countDelegatedBytes(value.length);
      resolve(value as T);
    });
  });
}

async function orByNode<T>(work: () => Promise<T>, delegate: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error !== notTaken) throw error;
  }
  return delegate();
}

async function readOpen(fd: number, options: ReadOptions, start: number, requestFlags: number): Promise<Buffer | string> {
  const size = await sizeStep(fd, requestFlags);
  if (size > READ_BYTES_MAX) throw notTaken;
  return decoded(await readToEnd(fd, size, start, requestFlags, options.signal), options.encoding);
}

/** FileHandle.readFile: from the file position to the end. */
export async function readHandle(
  handle: FileHandle,
  held: Held,
  options: unknown,
  delegate: () => Promise<unknown>,
): Promise<unknown> {
  const plain = plainOptions(options, 'r');
  if (handle.fd < 0 || plain === undefined) return delegate();
  return held(handle, () =>
    orByNode<unknown>(() => {
      throwIfAborted(plain.signal);
      return readOpen(handle.fd, plain, CURRENT, FLAG_TRUSTED);
    }, delegate),
  );
}

/** fs.promises.readFile of a path, or of a descriptor for the callback form; undefined: node:fs has to judge. */
export function readFile(target: unknown, options: unknown): Promise<Buffer | string> | undefined {
  const plain = plainOptions(options, 'r');
  if (plain === undefined) return undefined;
  if (isDescriptor(target)) {
    if (engine() === undefined) return undefined;
    return orByNode(
      async () => {
        throwIfAborted(plain.signal);
        return readOpen(target, plain, CURRENT, 0);
      },
      () => byNode<Buffer | string>((done) => hostFs.readFile(target, options as never, done as never)),
    );
  }
  const asked = plainOpen(target, plain.flag, undefined, undefined);
  return asked === undefined ? undefined : readPath(asked, plain, options);
}

async function readPath(
  asked: NonNullable<ReturnType<typeof plainOpen>>,
  plain: ReadOptions,
  options: unknown,
): Promise<Buffer | string> {
  throwIfAborted(plain.signal);
  const fd = await openDescriptor(asked);
  if (fd === NOT_TAKEN) {
    return byNode<Buffer | string>((done) => hostFs.readFile(asked.path as string, options as never, done as never));
  }
  return closingAfter(fd, () =>
    orByNode(
      () => readOpen(fd, plain, 0, FLAG_TRUSTED),
      () => byNode<Buffer | string>((done) => hostFs.readFile(fd, options as never, done as never)),
    ),
  );
}

type Chunks = Iterable<unknown> | AsyncIterable<unknown>;
type Data = Uint8Array | Chunks;

/** What can be written, as bytes or as chunks; undefined for what node:fs has to judge. */
function plainData(data: unknown, encoding: BufferEncoding | undefined): Data | undefined {
  if (typeof data === 'string') return Buffer.from(data, encoding ?? 'utf8');
  if (isPlainView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (typeof data !== 'object' || data === null || ArrayBuffer.isView(data)) return undefined;
  const iterable = data as { [Symbol.iterator]?: unknown; [Symbol.asyncIterator]?: unknown };
  const chunks = typeof iterable[Symbol.iterator] === 'function' || typeof iterable[Symbol.asyncIterator] === 'function';
  return chunks ? (data as Chunks) : undefined;
}

function bytesOf(chunk: unknown, encoding: BufferEncoding | undefined): Uint8Array {
  if (isPlainView(chunk)) return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  return Buffer.from(chunk as string, encoding ?? 'utf8');
}

async function writeOpen(
  fd: number,
  data: Data,
  options: WriteOptions,
  start: number,
  requestFlags: number,
): Promise<void> {
  if (data instanceof Uint8Array) {
    const step = options.signal === undefined ? data.byteLength : CHUNK_BYTES;
    for (let done = 0; done < data.byteLength; done += step) {
      throwIfAborted(options.signal);
      await writeAll(fd, data.subarray(done, done + step), start < 0 ? start : start + done, requestFlags);
    }
  } else {
    let at = start;
    for await (const chunk of data) {
      throwIfAborted(options.signal);
      const bytes = bytesOf(chunk, options.encoding);
      await writeAll(fd, bytes, at, requestFlags);
      if (at >= 0) at += bytes.byteLength;
      throwIfAborted(options.signal);
    }
  }
  if (options.flush) await syncStep(fd, requestFlags);
}

/** FileHandle.writeFile and appendFile: at the file position, nothing is truncated. */
export async function writeHandle(
  handle: FileHandle,
  held: Held,
  data: unknown,
  options: unknown,
  delegate: () => Promise<unknown>,
): Promise<unknown> {
  const plain = plainOptions(options, 'w');
  const bytes = plain === undefined ? undefined : plainData(data, plain.encoding);
  if (handle.fd < 0 || plain === undefined || bytes === undefined) return delegate();
  return held(handle, async () => {
    throwIfAborted(plain.signal);
    // Whose file it is has to be known before an iterator is started: it cannot be started over.
    return orByNode<unknown>(async () => {
      await sizeStep(handle.fd, FLAG_TRUSTED);
      return writeOpen(handle.fd, bytes, plain, CURRENT, FLAG_TRUSTED);
    }, delegate);
  });
}

/** writeFile (`flag` 'w') and appendFile ('a') of a path or descriptor; undefined: node:fs has to judge. */
export function writeFile(target: unknown, data: unknown, options: unknown, flag: string): Promise<void> | undefined {
  const plain = plainOptions(options, flag);
  const bytes = plain === undefined ? undefined : plainData(data, plain.encoding);
  if (plain === undefined || bytes === undefined) return undefined;
  const hostWrite = flag === 'a' ? hostFs.appendFile : hostFs.writeFile;
  if (isDescriptor(target)) {
    if (engine() === undefined || !(bytes instanceof Uint8Array)) return undefined;
    return orByNode(
      async () => {
        throwIfAborted(plain.signal);
        await sizeStep(target, 0);
        return writeOpen(target, bytes, plain, CURRENT, 0);
      },
      () => byNode<void>((done) => hostWrite(target, data as never, options as never, done as never)),
    );
  }
  const asked = plainOpen(target, plain.flag, plain.mode, undefined);
  if (asked === undefined) return undefined;
  return (async () => {
    throwIfAborted(plain.signal);
    const fd = await openDescriptor(asked);
    if (fd === NOT_TAKEN) {
      return byNode<void>((done) => hostWrite(asked.path as string, data as never, options as never, done as never));
    }
    return closingAfter(fd, () =>
      orByNode(
        async () => {
          await sizeStep(fd, FLAG_TRUSTED);
          return writeOpen(fd, bytes, plain, CURRENT, FLAG_TRUSTED);
        },
        () => byNode<void>((done) => hostFs.writeFile(fd, data as never, options as never, done as never)),
      ),
    );
  })();
}
