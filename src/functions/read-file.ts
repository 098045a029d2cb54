// readFile of a path or a descriptor, with a callback and as a promise. Functions answer undefined for what node:fs has
// to judge. What is read once the file is open: descriptor/read-all.ts.

import type { Stats } from 'node:fs';
import { constants } from 'node:fs';
import { closingAfter } from '../descriptor/fallback-handle';
import { DIRECT_AS_FLAGS, type OpenArguments, openDescriptor, tryParseOpen } from '../descriptor/open';
import { type Content, type Decode, decodeAtOnce, decodeInPieces, readOpen } from '../descriptor/read-all';
import { CURRENT, isDescriptor, shownPath } from '../engine/arguments';
import { type Callback, callBackAfter } from '../engine/callbacks';
import { engine } from '../engine/engine';
import { callFallback, countedFallback, FallbackSignal, orFallback, viaCallback } from '../engine/fallback';
import { type FileOptions, tryParseFileOptions, unlessAborted } from '../engine/file-options';
import { countDelegated } from '../engine/stats';
import { isOpenHandle } from '../file-handle/file-handle';
import { FLAG_TRUSTED, UNSUPPORTED } from '../native/addon';
import { nodeFs, READ_ERRORS_NAME_PATH } from '../node/fs';
import { nodePromises } from '../node/promises';
import { readInOneGo } from './read-small-file';

/** readFile of a descriptor, in the callback form. */
function tryReadDescriptor(fd: unknown, options: unknown): Promise<Content> | undefined {
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
    orFallback(work, () =>
      countedFallback(viaCallback<Content>((done) => nodeFs.readFile(fd, options as never, done as never))),
    ),
  );
}

/** readFile of a path. */
function tryReadPath(path: unknown, options: unknown, decode = decodeInPieces): Promise<Content> | undefined {
  const plain = tryParseFileOptions(options, 'r');
  const asked = plain === undefined ? undefined : tryParseOpen(path, plain.flag, undefined, undefined);
  if (plain === undefined || asked === undefined) return undefined;
  const { signal, encoding } = plain;
  if (signal === undefined && asked.flags === constants.O_RDONLY && asked.direct === DIRECT_AS_FLAGS) {
    return readInOneGo(asked.path, encoding, {
      fromDescriptor: (fd) => readAndClose(fd, asked, plain, options, decode),
      fallback: () => countedFallback(nodePromises.readFile(asked.path as string, options as never)),
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
  if (fd === UNSUPPORTED) return countedFallback(nodePromises.readFile(asked.path as string, options as never));
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
    (handle) => countedFallback(nodePromises.readFile(handle, options as never)).catch(naming),
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

/** fs.readFile. */
export function readFile(path: unknown, options: unknown, last: unknown): void {
  const callback = last || options;
  const given = options === callback ? undefined : options;
  const read = (): Promise<unknown> | undefined =>
    typeof path === 'number' ? tryReadDescriptor(path, given) : tryReadPath(path, given, decodeAtOnce);
  const promise = typeof callback === 'function' ? read() : undefined;
  // biome-ignore lint/complexity/noArguments: the number of arguments is part of the call
  if (promise === undefined) callFallback('readFile', arguments);
  else callBackAfter(promise, callback as Callback);
}

/** fs.promises.readFile: the plainest form without the ticks of an async function. */
export function readFilePromise(path: unknown, options: unknown): Promise<unknown> {
  const isPlainest = typeof path === 'string' && (options === undefined || typeof options === 'string');
  return (isPlainest ? tryReadPath(path, options) : undefined) ?? readOther(path, options);
}

async function readOther(path: unknown, options: unknown): Promise<unknown> {
  if (isOpenHandle(path)) return path.readFile(options as never);
  const promise = tryReadPath(path, options);
  if (promise !== undefined) return promise;
  countDelegated();
  return nodePromises.readFile(path as string, options as never);
}
