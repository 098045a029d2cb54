// All of the data into an open file: what writeFile and appendFile do once the file is open, and those of a FileHandle.
// Functions answer undefined for what node:fs has to judge.

import type { FileHandle } from 'node:fs/promises';
import { types } from 'node:util';
import { CURRENT, isPlainView } from '../engine/arguments';
import { countedFallback, orFallback } from '../engine/fallback';
import { type FileOptions, throwIfAborted, tryParseFileOptions } from '../engine/file-options';
import { countDelegated } from '../engine/stats';
import { FLAG_TRUSTED } from '../native/addon';
import { nodePromises } from '../node/promises';
import { type Held, sizeStep, writeAll } from './transfers';

type Chunks = Iterable<unknown> | AsyncIterable<unknown>;
export type Data = Uint8Array | Chunks;

const SIGNAL_CHUNK_BYTES = 512 * 1024; // what node writes between two looks at the signal

function bytesOfView(view: NodeJS.ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

/** What can be written, as bytes or as chunks; undefined for what node:fs has to judge. */
export function tryParseData(data: unknown, encoding: BufferEncoding | undefined): Data | undefined {
  if (typeof data === 'string') return Buffer.from(data, encoding ?? 'utf8');
  if (isPlainView(data)) return bytesOfView(data);
  if (typeof data !== 'object' || data === null || ArrayBuffer.isView(data)) return undefined;
  const iterable = data as { [Symbol.iterator]?: unknown; [Symbol.asyncIterator]?: unknown };
  const chunks =
    typeof iterable[Symbol.iterator] === 'function' || typeof iterable[Symbol.asyncIterator] === 'function';
  return chunks ? (data as Chunks) : undefined;
}

/** Which file is written, at its position, and how. */
interface Target {
  fd: number;
  requestFlags: number;
}

// An abort is heard between two writes, as in node, and never in mid-write: the data is the caller's, who may change it as
// soon as the call has settled.
export async function writeOpen(target: Target, data: Data, options: FileOptions): Promise<void> {
  throwIfAborted(options.signal);
  if (types.isUint8Array(data)) await writeBytes(target, data, options.signal);
  else await writeChunks(target, data, options);
}

async function writeBytes(target: Target, data: Uint8Array, signal: AbortSignal | undefined): Promise<void> {
  const step = signal === undefined ? data.byteLength : SIGNAL_CHUNK_BYTES;
  for (let done = 0; done < data.byteLength; done += step) {
    throwIfAborted(signal);
    await writeAll(target.fd, data.subarray(done, done + step), CURRENT, target.requestFlags);
  }
}

async function writeChunks(target: Target, data: Chunks, options: FileOptions): Promise<void> {
  // Whose file it is has to be known before the iterator is started: it cannot be started over.
  await sizeStep(target.fd, Number.MAX_SAFE_INTEGER, target.requestFlags);
  for await (const chunk of data) {
    throwIfAborted(options.signal);
    const bytes = isPlainView(chunk) ? bytesOfView(chunk) : Buffer.from(chunk as string, options.encoding ?? 'utf8');
    await writeBytes(target, bytes, options.signal);
    throwIfAborted(options.signal);
  }
}

/** FileHandle.writeFile and appendFile: at the file position, nothing is truncated, `flush` means nothing. */
export function writeHandle(
  handle: FileHandle,
  held: Held,
  data: unknown,
  options: unknown,
): Promise<void> | undefined {
  const plain = tryParseFileOptions(options, 'w');
  const given = plain === undefined ? undefined : tryParseData(data, plain.encoding);
  if (plain === undefined || given === undefined) return undefined;
  const target = { fd: handle.fd, requestFlags: FLAG_TRUSTED };
  return held(handle, () =>
    orFallback(
      () => writeOpen(target, given, plain),
      () => countedFallback(nodePromises.writeFile(handle, data as string, options as never)),
    ),
  );
}

/** The fallback on a file that is open already: node writes it, and syncs it where that is wanted. */
export async function writeByNode(handle: FileHandle, data: unknown, options: unknown, flush: boolean): Promise<void> {
  await countedFallback(nodePromises.writeFile(handle, data as string, options as never));
  if (!flush) return;
  countDelegated();
  await handle.sync();
}
