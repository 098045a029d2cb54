// One writeFile or appendFile: what it writes, and what it does once the file is open. Those of a FileHandle, which do
// no more than that; functions/write-file.ts has those of a path and a descriptor.

import type { FileHandle } from 'node:fs/promises';
import { types } from 'node:util';
import { CURRENT, isPlainView } from '../engine/arguments';
import { countedFallback, orFallback } from '../engine/fallback';
import { type FileOptions, throwIfAborted, tryParseFileOptions } from '../engine/file-options';
import { countDelegated } from '../engine/stats';
import { FLAG_TRUSTED } from '../native/addon';
import { nodePromises } from '../node/promises';
import { type Held, sizeStep, syncStep, writeAll } from './transfers';

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

/** Writes one open file, at its position. */
export class WriteFileJob {
  constructor(
    protected readonly data: Data,
    readonly options: FileOptions,
    /** Open, or -1 while it is not. */
    protected fd: number,
    private readonly requestFlags: number,
  ) {}

  /**
   * All of the data; throws FallbackSignal where the file is node's to serve. An abort is heard between two writes, as
   * in node, and never in mid-write: the data is the caller's, who may change it as soon as the call has settled.
   */
  async writeOpenFile(): Promise<void> {
    throwIfAborted(this.options.signal);
    if (types.isUint8Array(this.data)) await this.writeBytes(this.data);
    else await this.writeChunks(this.data);
  }

  /** The same, and waits for the device where the option `flush` says so. */
  async writeAndSync(): Promise<void> {
    await this.writeOpenFile();
    if (this.options.flush) await syncStep(this.fd, this.requestFlags);
  }

  private async writeBytes(bytes: Uint8Array): Promise<void> {
    const { signal } = this.options;
    const step = signal === undefined ? bytes.byteLength : SIGNAL_CHUNK_BYTES;
    for (let done = 0; done < bytes.byteLength; done += step) {
      throwIfAborted(signal);
      await writeAll(this.fd, bytes.subarray(done, done + step), CURRENT, this.requestFlags);
    }
  }

  private async writeChunks(chunks: Chunks): Promise<void> {
    const { signal, encoding } = this.options;
    // Whose file it is has to be known before the iterator is started: it cannot be started over.
    await sizeStep(this.fd, Number.MAX_SAFE_INTEGER, this.requestFlags);
    for await (const chunk of chunks) {
      throwIfAborted(signal);
      const bytes = isPlainView(chunk) ? bytesOfView(chunk) : Buffer.from(chunk as string, encoding ?? 'utf8');
      await this.writeBytes(bytes);
      throwIfAborted(signal);
    }
  }
}

/**
 * FileHandle.writeFile and appendFile: at the file position, nothing is truncated, `flush` means nothing. Undefined for
 * what node:fs has to judge.
 */
export function writeHandle(
  handle: FileHandle,
  held: Held,
  content: unknown,
  value: unknown,
): Promise<void> | undefined {
  const options = tryParseFileOptions(value, 'w');
  const data = options === undefined ? undefined : tryParseData(content, options.encoding);
  if (options === undefined || data === undefined) return undefined;
  const job = new WriteFileJob(data, options, handle.fd, FLAG_TRUSTED);
  return held(handle, () =>
    orFallback(
      () => job.writeOpenFile(),
      () => countedFallback(nodePromises.writeFile(handle, content as string, value as never)),
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
