// One readFile: what it reads, how far it has come, and what it does once the file is open. FileHandle.readFile, which
// does no more than that; functions/read-file.ts has those of a path and a descriptor.

import type { FileHandle } from 'node:fs/promises';
import { StringDecoder } from 'node:string_decoder';
import { CURRENT } from '../engine/arguments';
import { startedEngine } from '../engine/engine';
import { countedFallback, orFallback } from '../engine/fallback';
import { type FileOptions, throwIfAborted, tryParseFileOptions, unlessAborted } from '../engine/file-options';
import { resultOf } from '../engine/requests';
import { FLAG_TRUSTED } from '../native/addon';
import { nodePromises } from '../node/promises';
import { type Held, readStep, sizeStep } from './transfers';

export type Content = Buffer | string;

const READ_BYTES_MAX = 2 ** 31 - 1; // node refuses larger files: ERR_FS_FILE_TOO_LARGE
const PIECE_BYTES = 512 * 1024; // what node's promises read at a time
const UNKNOWN_SIZE_CHUNK_BYTES = 64 * 1024;

/** The text of a whole file. */
export type Decode = (content: Buffer, encoding: BufferEncoding) => string;

/** As node's callback form: ERR_STRING_TOO_LONG where the bytes are more than a string has characters. */
export const decodeAtOnce: Decode = (content, encoding) => content.toString(encoding);

/**
 * As node's promises, which add up the text of one piece after the other: only the characters count, and V8 says when
 * they are too many.
 */
export const decodeInPieces: Decode = (content, encoding) => {
  try {
    return content.toString(encoding);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_STRING_TOO_LONG') throw error;
  }
  const decoder = new StringDecoder(encoding);
  let text = '';
  for (let start = 0; start < content.length; start += PIECE_BYTES) {
    text += decoder.write(content.subarray(start, start + PIECE_BYTES));
  }
  return text + decoder.end();
};

/** Reads one open file. */
export class ReadFileJob {
  /** Bytes read so far. */
  protected done = 0;

  constructor(
    readonly options: FileOptions,
    readonly decode: Decode,
    /** Open, or -1 while it is not. */
    protected fd: number,
    /** Where the file is read from; CURRENT: from the file position. */
    private readonly start: number,
    private readonly requestFlags: number,
  ) {}

  /** All of the open file; throws FallbackSignal where it is node's to serve. */
  async readOpenFile(): Promise<Content> {
    const { signal, encoding } = this.options;
    // Node's fstat takes a turn of the event loop, in which the signal may be aborted.
    if (signal !== undefined) {
      await resultOf(startedEngine()!.later(0, 1));
      throwIfAborted(signal);
    }
    const size = await sizeStep(this.fd, READ_BYTES_MAX, this.requestFlags);
    const content = size === 0 ? await this.readUnsized() : await this.readSized(size);
    return encoding === undefined ? content : this.decode(content, encoding);
  }

  private async readSized(size: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafeSlow(size);
    while (this.done < size) {
      const rest = size - this.done;
      const length = this.options.signal === undefined ? rest : Math.min(rest, PIECE_BYTES);
      const bytes = await this.readNext(buffer, this.done, length);
      if (bytes === 0) return buffer.subarray(0, this.done);
    }
    return buffer;
  }

  /** A regular file that says size 0 may have content all the same: it is read until nothing comes. */
  private async readUnsized(): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for (;;) {
      const chunk = Buffer.allocUnsafeSlow(UNKNOWN_SIZE_CHUNK_BYTES);
      const bytes = await this.readNext(chunk, 0, UNKNOWN_SIZE_CHUNK_BYTES);
      if (bytes === 0) break;
      chunks.push(chunk.subarray(0, bytes));
    }
    return Buffer.concat(chunks, this.done);
  }

  private async readNext(buffer: Buffer, offset: number, length: number): Promise<number> {
    throwIfAborted(this.options.signal);
    const position = this.start < 0 ? CURRENT : this.start + this.done;
    const bytes = await readStep(this.fd, buffer, offset, length, position, this.requestFlags);
    this.done += bytes;
    return bytes;
  }
}

/** FileHandle.readFile: from the file position to the end. Undefined for what node:fs has to judge. */
export function readHandle(handle: FileHandle, held: Held, value: unknown): Promise<Content> | undefined {
  const options = tryParseFileOptions(value, 'r');
  if (options === undefined) return undefined;
  const job = new ReadFileJob(options, decodeInPieces, handle.fd, CURRENT, FLAG_TRUSTED);
  return unlessAborted(options.signal, () =>
    held(handle, () =>
      orFallback(
        () => job.readOpenFile(),
        () => countedFallback(nodePromises.readFile(handle, value as never)),
      ),
    ),
  );
}
