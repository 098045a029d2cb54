// readFile: of a path, a descriptor or a FileHandle. Functions answer undefined for what node:fs has to judge.

import type { Stats } from 'node:fs';
import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { StringDecoder } from 'node:string_decoder';
import { byNode, closingAfter, type Held, orByNode, viaCallback } from '../descriptor/fallback-handle';
import { DIRECT_AS_FLAGS, type OpenArguments, openDescriptor, tryParseOpen } from '../descriptor/open';
import { FallbackSignal, readStep, sizeStep } from '../descriptor/transfers';
import { CURRENT, isDescriptor, shownPath } from '../engine/arguments';
import { engine, FLAG_TRUSTED, startedEngine, UNSUPPORTED } from '../engine/engine';
import { type FileOptions, throwIfAborted, tryParseFileOptions, unlessAborted } from '../engine/file-options';
import { resultOf } from '../engine/requests';
import { nodeFs, READ_ERRORS_NAME_PATH } from '../node/fs';
import { nodePromises } from '../node/promises';
import { readInOneGo } from './read-small-file';

type Content = Buffer | string;

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
const decodeInPieces: Decode = (content, encoding) => {
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
interface Source {
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

async function readOpen(source: Source, encoding: BufferEncoding | undefined, decode: Decode): Promise<Content> {
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
      orByNode(
        () => readOpen(source, encoding, decodeInPieces),
        () => byNode(nodePromises.readFile(handle, options as never)),
      ),
    ),
  );
}

/** readFile of a descriptor, in the callback form. */
export function readDescriptor(fd: unknown, options: unknown): Promise<Content> | undefined {
  const plain = tryParseFileOptions(options, 'r');
  if (plain === undefined || !isDescriptor(fd) || engine() === undefined) return undefined;
  const { signal, encoding } = plain;
  const source = { fd, start: CURRENT, requestFlags: 0, signal, done: 0 };
  const work = async (): Promise<Content> => {
    try {
      return await readOpen(source, encoding, decodeAtOnce);
    } catch (error) {
      // Node 20 loses the error of a read here and calls back with nothing: so node answers, whatever its version.
      throw source.done === 0 && !signal?.aborted ? FallbackSignal : error;
    }
  };
  return unlessAborted(signal, () =>
    orByNode(work, () => byNode(viaCallback<Content>((done) => nodeFs.readFile(fd, options as never, done as never)))),
  );
}

/** readFile of a path. */
export function readPath(path: unknown, options: unknown, decode = decodeInPieces): Promise<Content> | undefined {
  const plain = tryParseFileOptions(options, 'r');
  const asked = plain === undefined ? undefined : tryParseOpen(path, plain.flag, undefined, undefined);
  if (plain === undefined || asked === undefined) return undefined;
  const { signal, encoding } = plain;
  if (signal === undefined && asked.flags === constants.O_RDONLY && asked.direct === DIRECT_AS_FLAGS) {
    return readInOneGo(asked.path, encoding, {
      fromDescriptor: (fd) => readAndClose(fd, asked, plain, options, decode),
      byNode: () => byNode(nodePromises.readFile(asked.path as string, options as never)),
    });
  }
  return unlessAborted(signal, () => openAndRead(asked, plain, options, decode));
}

async function openAndRead(
  asked: OpenArguments,
  plain: FileOptions,
  options: unknown,
  decode: Decode,
): Promise<Content> {
  const fd = await openDescriptor(asked);
  if (fd === UNSUPPORTED) return byNode(nodePromises.readFile(asked.path as string, options as never));
  return readAndClose(fd, asked, plain, options, decode);
}

function readAndClose(
  fd: number,
  asked: OpenArguments,
  plain: FileOptions,
  options: unknown,
  decode: Decode,
): Promise<Content> {
  const { signal, encoding } = plain;
  const naming = (error: NodeJS.ErrnoException): Promise<never> => withPath(error, fd, shownPath(asked.path));
  return closingAfter(
    fd,
    () => readOpen({ fd, start: 0, requestFlags: FLAG_TRUSTED, signal, done: 0 }, encoding, decode).catch(naming),
    (handle) => byNode(nodePromises.readFile(handle, options as never)).catch(naming),
  );
}

let namesPath: boolean | undefined;

/** Whether a failed read of readFile(path) names the path in its error: since Node 26. Reading a directory shows it. */
async function readErrorsNamePath(): Promise<boolean> {
  if (namesPath !== undefined) return namesPath;
  await nodePromises.readFile('/').catch((error: NodeJS.ErrnoException) => {
    // Anything else, as a lack of descriptors, says nothing of later times.
    if (error.code === 'EISDIR') namesPath = 'path' in error;
  });
  return namesPath ?? READ_ERRORS_NAME_PATH;
}

/** Node opens, reads and closes a file of up to so many bytes in one go. Larger ones are read as from a descriptor. */
const ONE_GO_BYTES_MAX = 512 * 1024;

/** Rejects with the error as this version of Node words it. `fd` is still open. */
async function withPath(error: NodeJS.ErrnoException, fd: number, path: string): Promise<never> {
  if (error.syscall === 'read' && error.path === undefined && (await readErrorsNamePath())) {
    const { size } = await viaCallback<Stats>((done) => nodeFs.fstat(fd, done));
    if (size <= ONE_GO_BYTES_MAX) {
      const { message, stack } = error;
      error.message = `${message} '${path}'`;
      error.stack = stack?.replace(message, () => error.message);
      error.path = path;
    }
  }
  throw error;
}
