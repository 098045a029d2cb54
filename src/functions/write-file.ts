// writeFile and appendFile: of a path, a descriptor or a FileHandle. Functions answer undefined for what node:fs has to
// judge.

import type { FileHandle } from 'node:fs/promises';
import { types } from 'node:util';
import { byNode, closingAfter, type Held, orByNode, viaCallback } from '../descriptor/fallback-handle';
import { type OpenArguments, openDescriptor, tryParseOpen } from '../descriptor/open';
import { sizeStep, syncStep, writeAll } from '../descriptor/transfers';
import { CURRENT, isDescriptor, isPlainView } from '../engine/arguments';
import { engine, FLAG_TRUSTED, UNSUPPORTED } from '../engine/engine';
import { type FileOptions, throwIfAborted, tryParseFileOptions } from '../engine/file-options';
import { type PoolJob, promised } from '../engine/pool-job';
import { nodeFs } from '../node/fs';
import { nodePromises } from '../node/promises';
import { oneTrip } from './write-small-file';

/** 'w' for writeFile, 'a' for appendFile. */
export type WriteFlag = 'w' | 'a';

type Chunks = Iterable<unknown> | AsyncIterable<unknown>;
type Data = Uint8Array | Chunks;

const SIGNAL_CHUNK_BYTES = 512 * 1024; // what node writes between two looks at the signal

function bytesOfView(view: NodeJS.ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

/** What can be written, as bytes or as chunks; undefined for what node:fs has to judge. */
function tryParseData(data: unknown, encoding: BufferEncoding | undefined): Data | undefined {
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
async function writeOpen(target: Target, data: Data, options: FileOptions): Promise<void> {
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
    orByNode(
      () => writeOpen(target, given, plain),
      () => byNode(nodePromises.writeFile(handle, data as string, options as never)),
    ),
  );
}

/** writeFile or appendFile of a descriptor, in the callback form: no iterables, and nothing to write is a write too. */
export function writeDescriptor(
  fd: unknown,
  data: unknown,
  options: unknown,
  flag: WriteFlag,
): Promise<void> | undefined {
  const plain = tryParseFileOptions(options, flag);
  const given = plain === undefined ? undefined : tryParseData(data, plain.encoding);
  if (plain === undefined || !types.isUint8Array(given) || given.byteLength === 0) return undefined;
  if (!isDescriptor(fd) || engine() === undefined) return undefined;
  const hostWrite = flag === 'a' ? nodeFs.appendFile : nodeFs.writeFile;
  return orByNode(
    async () => {
      await writeOpen({ fd, requestFlags: 0 }, given, plain);
      if (plain.flush) await syncStep(fd, 0);
    },
    () => byNode(viaCallback<void>((done) => hostWrite(fd, data as string, options as never, done as never))),
  );
}

/** A call of writeFile or appendFile of a path: as it was given, and as the engine takes it. */
export interface WrittenPath {
  data: unknown;
  options: unknown;
  flag: WriteFlag;
  asked: OpenArguments;
  bytes: Data;
  plain: FileOptions;
  /** Where one trip to the pool does all of it. */
  inOneTrip: PoolJob | undefined;
}

export function tryParseWrite(
  path: unknown,
  data: unknown,
  options: unknown,
  flag: WriteFlag,
): WrittenPath | undefined {
  const plain = tryParseFileOptions(options, flag);
  const bytes = plain === undefined ? undefined : tryParseData(data, plain.encoding);
  const asked = plain === undefined ? undefined : tryParseOpen(path, plain.flag, plain.mode, undefined);
  if (plain === undefined || bytes === undefined || asked === undefined) return undefined;
  return { data, options, flag, asked, bytes, plain, inOneTrip: oneTrip(asked, bytes, plain) };
}

/** writeFile or appendFile of a path. */
export function writePath(path: unknown, data: unknown, options: unknown, flag: WriteFlag): Promise<void> | undefined {
  const written = tryParseWrite(path, data, options, flag);
  if (written?.inOneTrip === undefined) return written === undefined ? undefined : writeInSteps(written);
  const hostWrite = flag === 'a' ? nodePromises.appendFile : nodePromises.writeFile;
  const again = (): Promise<void> => hostWrite(written.asked.path as string, data as string, options as never);
  return promised(written.inOneTrip, again) as Promise<void>;
}

export async function writeInSteps({ asked, data, options, flag, bytes, plain }: WrittenPath): Promise<void> {
  const fd = await openDescriptor(asked);
  if (fd === UNSUPPORTED) {
    const hostWrite = flag === 'a' ? nodePromises.appendFile : nodePromises.writeFile;
    return byNode(hostWrite(asked.path as string, data as string, options as never));
  }
  return closingAfter(
    fd,
    async () => {
      await writeOpen({ fd, requestFlags: FLAG_TRUSTED }, bytes, plain);
      if (plain.flush) await syncStep(fd, FLAG_TRUSTED);
    },
    async (handle) => {
      await byNode(nodePromises.writeFile(handle, data as string, options as never));
      if (plain.flush) await handle.sync();
    },
  );
}
