// readFile of a path or a descriptor, with a callback and as a promise. Functions answer undefined for what node:fs has
// to judge. What is done once a larger file is open: read-open-file.ts.

import { constants } from 'node:fs';
import { DIRECT_AS_FLAGS, type OpenArguments, openDescriptor, tryParseOpen } from '../descriptor/open';
import type { Content } from '../descriptor/read-file-job';
import { afterPoll } from '../engine/after-poll';
import { isDescriptor, shownPath } from '../engine/arguments';
import { type Callback, callBackAfter } from '../engine/callbacks';
import { engine, startedEngine } from '../engine/engine';
import { callFallback, countedFallback, kept, keptArguments, orFallback, viaCallback } from '../engine/fallback';
import { type FileOptions, tryParseFileOptions, unlessAborted } from '../engine/file-options';
import { BareRequest, CallbackRequest, callBackTo, settleWith } from '../engine/requests';
import { countDelegated } from '../engine/stats';
import { isOpenHandle } from '../file-handle/handle-class';
import { ACCEPTED, type Addon, PATH_CALLBACK, UNSUPPORTED } from '../native/addon';
import { rejectWithSystemError, systemErrorWithoutFrames } from '../node/errors';
import { nodeFs } from '../node/fs';
import { nodePromises } from '../node/promises';

/** For larger files and descriptors: most programs that read a small file need none of it. */
const openFiles = () => require('./read-open-file') as typeof import('./read-open-file');

let scratch: Buffer | undefined;

function takeScratch({ shared, setScratch }: Addon): Buffer {
  const memory = shared.scratch();
  setScratch(memory);
  return Buffer.from(memory);
}

function copyOf(bytes: Buffer, length: number, encoding: BufferEncoding | undefined): Content {
  if (encoding !== undefined) return bytes.toString(encoding, 0, length);
  const content = Buffer.allocUnsafeSlow(length);
  bytes.copy(content, 0, 0, length);
  return content;
}

const isUtf8 = (encoding: BufferEncoding | undefined): boolean => encoding === 'utf8' || encoding === 'utf-8';

/** Of an accepted readFile that is being settled: the content, or the descriptor of a file that takes more calls. */
function takeContent(slot: number, encoding: BufferEncoding | undefined): Content | number {
  const found = startedEngine()!.takeFile(slot, isUtf8(encoding) ? 1 : 0);
  return encoding === undefined || typeof found !== 'object' ? found : found.toString(encoding);
}

/** An accepted readFile that a promise waits for. The pool opens the file, and reads and closes a small one. */
class ReadPathRequest extends BareRequest {
  constructor(
    readonly resolve: (value: Content | Promise<Content>) => void,
    readonly slot: number,
    readonly open: OpenArguments,
    readonly options: FileOptions,
    readonly value: unknown,
  ) {
    super();
  }

  settle(result: number): void {
    const { resolve, open, options, value } = this;
    if (result >= 0) {
      const content = takeContent(this.slot, options.encoding);
      resolve(typeof content === 'number' ? openFiles().readInPieces(content, open, options, value) : content);
    } else if (result === UNSUPPORTED) {
      resolve(fallback(open, value));
    } else {
      rejectWithSystemError(resolve as (value: unknown) => void, result, 'open', shownPath(open.path));
    }
  }
}

/** The same for a callback. In node it is one of several requests. */
class ReadPathCallback extends CallbackRequest {
  constructor(
    readonly slot: number,
    readonly open: OpenArguments,
    readonly options: FileOptions,
    readonly args: ArrayLike<unknown>,
    readonly value: unknown,
    readonly callback: Callback,
  ) {
    super(undefined, true);
  }

  finish(result: number): void {
    const { callback, open, options, value } = this;
    if (result >= 0) {
      const content = takeContent(this.slot, options.encoding);
      if (typeof content !== 'number') callback(null, content);
      else callBackAfter(openFiles().readAtOnce(content, open, options, value), callback);
    } else if (result === UNSUPPORTED) {
      callFallback('readFile', this.args);
    } else {
      callback(systemErrorWithoutFrames(result, 'open', shownPath(open.path)));
    }
  }
}

const fallback = ({ path }: OpenArguments, value: unknown): Promise<Content> =>
  countedFallback(nodePromises.readFile(path as string, value as never));

interface ReadPath {
  open: OpenArguments;
  options: FileOptions;
  /** A small file goes in one go: opened, read and closed by one call. */
  inOneGo: boolean;
}

function tryParseReadPath(path: unknown, value: unknown): ReadPath | undefined {
  const options = tryParseFileOptions(value, 'r');
  const open = options === undefined ? undefined : tryParseOpen(path, options.flag, undefined, undefined);
  if (options === undefined || open === undefined) return undefined;
  const isPlain = options.signal === undefined && open.flags === constants.O_RDONLY && open.direct === DIRECT_AS_FLAGS;
  return { open, options, inOneGo: isPlain };
}

async function openAndRead(
  { open, options }: ReadPath,
  value: unknown,
  how: 'readInPieces' | 'readAtOnce',
): Promise<Content> {
  const fd = await openDescriptor(open);
  return fd === UNSUPPORTED ? fallback(open, value) : openFiles()[how](fd, open, options, value);
}

/**
 * readFile of a path. A small file is read by one call where all of it is in the kernel's caches, else by one pool job,
 * which answers for a larger one with its open descriptor.
 */
function tryReadPath(path: unknown, value: unknown): Promise<Content> | undefined {
  const read = tryParseReadPath(path, value);
  if (read === undefined) return undefined;
  const { open, options } = read;
  if (!read.inOneGo) return unlessAborted(options.signal, () => openAndRead(read, value, 'readInPieces'));
  const native = startedEngine()!;
  scratch ??= takeScratch(native);
  const answer = native.readFile(open.path, 0);
  if (answer >= 0) return afterPoll(copyOf(scratch, answer, options.encoding));
  if (answer === UNSUPPORTED) return undefined;
  return new Promise((resolve) => {
    settleWith(answer, new ReadPathRequest(resolve, ACCEPTED - answer, open, options, kept(value)));
  });
}

/** The same for a callback; false: node:fs is to serve the call. */
function readPathWithCallback(args: ArrayLike<unknown>, value: unknown, callback: Callback): boolean {
  const read = tryParseReadPath(args[0], value);
  if (read === undefined) return false;
  const { open, options } = read;
  if (!read.inOneGo) {
    callBackAfter(
      unlessAborted(options.signal, () => openAndRead(read, value, 'readAtOnce')),
      callback,
    );
    return true;
  }
  const answer = startedEngine()!.readFile(open.path, PATH_CALLBACK);
  if (answer === UNSUPPORTED) return false;
  callBackTo(
    answer,
    new ReadPathCallback(ACCEPTED - answer, open, options, keptArguments(args), kept(value), callback),
  );
  return true;
}

/** readFile of a descriptor: only the callback form takes one. */
function tryReadDescriptor(fd: unknown, value: unknown): Promise<Content> | undefined {
  const options = tryParseFileOptions(value, 'r');
  if (options === undefined || !isDescriptor(fd) || engine() === undefined) return undefined;
  const { readDescriptor } = openFiles();
  const fallback = (): Promise<Content> =>
    countedFallback(viaCallback<Content>((done) => nodeFs.readFile(fd, value as never, done as never)));
  return unlessAborted(options.signal, () => orFallback(() => readDescriptor(fd, options), fallback));
}

/** fs.readFile. */
export function readFile(_path: unknown, second: unknown, last: unknown): void {
  const callback = last || second;
  const options = second === callback ? undefined : second;
  // biome-ignore lint/complexity/noArguments: the number of arguments is part of the call
  const args = arguments;
  if (typeof callback !== 'function' || !readWithCallback(args, options, callback as Callback))
    callFallback('readFile', args);
}

function readWithCallback(args: ArrayLike<unknown>, options: unknown, callback: Callback): boolean {
  if (typeof args[0] !== 'number') return readPathWithCallback(args, options, callback);
  const promise = tryReadDescriptor(args[0], options);
  if (promise !== undefined) callBackAfter(promise, callback);
  return promise !== undefined;
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
