// readFile of a path or a descriptor, with a callback and as a promise. Functions answer undefined for what node:fs has
// to judge. What is done once the file is open: descriptor/read-file-job.ts.

import type { Stats } from 'node:fs';
import { constants } from 'node:fs';
import { closingAfter } from '../descriptor/fallback-handle';
import { DIRECT_AS_FLAGS, type OpenArguments, openDescriptor, tryParseOpen } from '../descriptor/open';
import { type Content, type Decode, decodeAtOnce, decodeInPieces, ReadFileJob } from '../descriptor/read-file-job';
import { afterPoll } from '../engine/after-poll';
import { CURRENT, isDescriptor, shownPath } from '../engine/arguments';
import { type Callback, callBackAfter } from '../engine/callbacks';
import { engine, startedEngine } from '../engine/engine';
import { callFallback, countedFallback, FallbackSignal, orFallback, viaCallback } from '../engine/fallback';
import { type FileOptions, tryParseFileOptions, unlessAborted } from '../engine/file-options';
import { settleWith } from '../engine/requests';
import { countDelegated } from '../engine/stats';
import { isOpenHandle } from '../file-handle/file-handle';
import { ACCEPTED, type Addon, FLAG_TRUSTED, UNSUPPORTED } from '../native/addon';
import { rejectWithSystemError } from '../node/errors';
import { nodeFs, READ_ERRORS_NAME_PATH } from '../node/fs';
import { nodePromises } from '../node/promises';

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

/**
 * readFile of a path. A small file goes in one go: opened, read and closed by one call where all of it is in the
 * kernel's caches, else by one pool job, which answers for a larger one with its open descriptor.
 */
function tryReadPath(path: unknown, value: unknown, decode = decodeInPieces): Promise<Content> | undefined {
  const options = tryParseFileOptions(value, 'r');
  const open = options === undefined ? undefined : tryParseOpen(path, options.flag, undefined, undefined);
  if (options === undefined || open === undefined) return undefined;
  const { signal, encoding } = options;
  if (signal !== undefined || open.flags !== constants.O_RDONLY || open.direct !== DIRECT_AS_FLAGS) {
    const job = new ReadPathJob(open, options, value, decode);
    return unlessAborted(signal, () => job.openAndRead());
  }
  const native = startedEngine()!;
  scratch ??= takeScratch(native);
  const answer = native.readFile(open.path, 0);
  if (answer >= 0) return afterPoll(copyOf(scratch, answer, encoding));
  return answer === UNSUPPORTED ? undefined : new ReadPathJob(open, options, value, decode).accepted(answer);
}

/** A readFile of a path that takes more than one call of the engine. */
class ReadPathJob extends ReadFileJob {
  constructor(
    private readonly open: OpenArguments,
    options: FileOptions,
    /** The options as the program gave them. */
    private readonly value: unknown,
    decode: Decode,
  ) {
    super(options, decode, -1, 0, FLAG_TRUSTED);
  }

  /** The pool opens the file, and reads and closes a small one. */
  accepted(answer: number): Promise<Content> {
    return new Promise((resolve) => {
      const settle = (result: number): void => this.settle(result, ACCEPTED - answer, resolve);
      settleWith(answer, { keepAlive: undefined, callsBack: false, settle });
    });
  }

  private settle(result: number, slot: number, resolve: (value: Content | Promise<Content>) => void): void {
    if (result >= 0) resolve(this.taken(startedEngine()!.takeFile(slot)));
    else if (result === UNSUPPORTED) resolve(this.fallback());
    else rejectWithSystemError(resolve as (value: unknown) => void, result, 'open', shownPath(this.open.path));
  }

  private taken(found: Buffer | number): Content | Promise<Content> {
    if (typeof found === 'number') return this.readAndClose(found);
    const { encoding } = this.options;
    return encoding === undefined ? found : found.toString(encoding);
  }

  async openAndRead(): Promise<Content> {
    const fd = await openDescriptor(this.open);
    return fd === UNSUPPORTED ? this.fallback() : this.readAndClose(fd);
  }

  private fallback(): Promise<Content> {
    return countedFallback(nodePromises.readFile(this.open.path as string, this.value as never));
  }

  private readAndClose(fd: number): Promise<Content> {
    this.fd = fd;
    const naming = (error: NodeJS.ErrnoException): Promise<never> => withPath(error, fd, shownPath(this.open.path));
    return closingAfter(
      fd,
      () => this.readOpenFile().catch(naming),
      (handle) => countedFallback(nodePromises.readFile(handle, this.value as never)).catch(naming),
    );
  }
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

/** Rejects with the error as this version of Node has it. `fd` is still open. */
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

/** A readFile of a descriptor of the program's, from the file position on. */
class ReadDescriptorJob extends ReadFileJob {
  constructor(fd: number, options: FileOptions) {
    super(options, decodeAtOnce, fd, CURRENT, 0);
  }

  /** Node 20 loses the error of a read here and calls back with nothing: so node answers, whatever its version. */
  async readOrStartOver(): Promise<Content> {
    try {
      return await this.readOpenFile();
    } catch (error) {
      throw this.done === 0 && !this.options.signal?.aborted ? FallbackSignal : error;
    }
  }
}

/** readFile of a descriptor: only the callback form takes one. */
function tryReadDescriptor(fd: unknown, value: unknown): Promise<Content> | undefined {
  const options = tryParseFileOptions(value, 'r');
  if (options === undefined || !isDescriptor(fd) || engine() === undefined) return undefined;
  const job = new ReadDescriptorJob(fd, options);
  const fallback = (): Promise<Content> =>
    countedFallback(viaCallback<Content>((done) => nodeFs.readFile(fd, value as never, done as never)));
  return unlessAborted(options.signal, () => orFallback(() => job.readOrStartOver(), fallback));
}

/** fs.readFile. */
export function readFile(path: unknown, second: unknown, last: unknown): void {
  const callback = last || second;
  const options = second === callback ? undefined : second;
  const read = (): Promise<unknown> | undefined =>
    typeof path === 'number' ? tryReadDescriptor(path, options) : tryReadPath(path, options, decodeAtOnce);
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
