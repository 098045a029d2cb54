// All of an open file: what readFile does once the file is open, and FileHandle.readFile. Functions answer undefined for
// what node:fs has to judge.

import type { FileHandle } from 'node:fs/promises';
import { StringDecoder } from 'node:string_decoder';
import { CURRENT } from '../engine/arguments';
import { startedEngine } from '../engine/engine';
import { countedFallback, orFallback } from '../engine/fallback';
import { throwIfAborted, tryParseFileOptions, unlessAborted } from '../engine/file-options';
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
 * As node's promises, which add up the text of one piece after the other: only the characters count, and V8 says when they
 * are too many.
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

/** Where and how one file is read. */
export interface Source {
  fd: number;
  /** -1: from the file position. */
  start: number;
  requestFlags: number;
  signal: AbortSignal | undefined;
  /** Bytes read so far. */
  done: number;
}

async function readNext(source: Source, buffer: Buffer, offset: number, length: number): Promise<number> {
  throwIfAborted(source.signal);
  const position = source.start < 0 ? CURRENT : source.start + source.done;
  const bytes = await readStep(source.fd, buffer, offset, length, position, source.requestFlags);
  source.done += bytes;
  return bytes;
}

async function readSized(source: Source, size: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(size);
  while (source.done < size) {
    const rest = size - source.done;
    const length = source.signal === undefined ? rest : Math.min(rest, PIECE_BYTES);
    const bytes = await readNext(source, buffer, source.done, length);
    if (bytes === 0) return buffer.subarray(0, source.done);
  }
  return buffer;
}

// A regular file that says size 0 may have content all the same: it is read until nothing comes.
async function readUnsized(source: Source): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (;;) {
    const chunk = Buffer.allocUnsafeSlow(UNKNOWN_SIZE_CHUNK_BYTES);
    const bytes = await readNext(source, chunk, 0, UNKNOWN_SIZE_CHUNK_BYTES);
    if (bytes === 0) break;
    chunks.push(chunk.subarray(0, bytes));
  }
  return Buffer.concat(chunks, source.done);
}

export async function readOpen(source: Source, encoding: BufferEncoding | undefined, decode: Decode): Promise<Content> {
  // Node's fstat takes a turn of the event loop, in which the signal may be aborted.
  if (source.signal !== undefined) {
    await resultOf(startedEngine()!.later(0, 1));
    throwIfAborted(source.signal);
  }
  const size = await sizeStep(source.fd, READ_BYTES_MAX, source.requestFlags);
  const content = size === 0 ? await readUnsized(source) : await readSized(source, size);
  return encoding === undefined ? content : decode(content, encoding);
}

/** FileHandle.readFile: from the file position to the end. */
export function readHandle(handle: FileHandle, held: Held, options: unknown): Promise<Content> | undefined {
  const plain = tryParseFileOptions(options, 'r');
  if (plain === undefined) return undefined;
  const { signal, encoding } = plain;
  const source = { fd: handle.fd, start: CURRENT, requestFlags: FLAG_TRUSTED, signal, done: 0 };
  return unlessAborted(signal, () =>
    held(handle, () =>
      orFallback(
        () => readOpen(source, encoding, decodeInPieces),
        () => countedFallback(nodePromises.readFile(handle, options as never)),
      ),
    ),
  );
}
