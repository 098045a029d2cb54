// writeFile and appendFile of a path or a descriptor, with a callback and as a promise. Functions answer undefined or
// false for what node:fs has to judge. What is written once the file is open: descriptor/write-file-job.ts.

import { types } from 'node:util';
import { closingAfter } from '../descriptor/fallback-handle';
import { type OpenArguments, openDescriptor, tryParseOpen } from '../descriptor/open';
import { type Data, tryParseData, WriteFileJob, writeByNode } from '../descriptor/write-file-job';
import { isDescriptor } from '../engine/arguments';
import { type Callback, callBackAfter } from '../engine/callbacks';
import { engine } from '../engine/engine';
import { callFallback, countedFallback, kept, orFallback, parsedOrUndefined, viaCallback } from '../engine/fallback';
import { type FileOptions, tryParseFileOptions } from '../engine/file-options';
import { type PoolJob, startWithCallback, startWithPromise } from '../engine/pool-job';
import { countDelegated } from '../engine/stats';
import { isOpenHandle } from '../file-handle/handle-class';
import { FLAG_TRUSTED, UNSUPPORTED } from '../native/addon';
import { nodeFs } from '../node/fs';
import { nodePromises } from '../node/promises';
import { smallWriteJob } from './write-small-file';

/** 'w' for writeFile, 'a' for appendFile. */
export type WriteFlag = 'w' | 'a';

const nodePromiseOf = (flag: WriteFlag) => (flag === 'a' ? nodePromises.appendFile : nodePromises.writeFile);

/** writeFile or appendFile of a descriptor, in the callback form: no iterables, and nothing to write is a write too. */
function tryWriteDescriptor(fd: unknown, content: unknown, value: unknown, flag: WriteFlag): Promise<void> | undefined {
  const options = tryParseFileOptions(value, flag);
  const bytes = options === undefined ? undefined : tryParseData(content, options.encoding);
  if (options === undefined || !types.isUint8Array(bytes) || bytes.byteLength === 0) return undefined;
  if (!isDescriptor(fd) || engine() === undefined) return undefined;
  const job = new WriteFileJob(bytes, options, fd, 0);
  const nodeWrite = flag === 'a' ? nodeFs.appendFile : nodeFs.writeFile;
  return orFallback(
    () => job.writeAndSync(),
    () => countedFallback(viaCallback<void>((done) => nodeWrite(fd, content as string, value as never, done as never))),
  );
}

/** writeFile or appendFile of a path. */
class WritePathJob extends WriteFileJob {
  /** Where one pool job does all of it. */
  readonly small: PoolJob | undefined;

  constructor(
    private readonly open: OpenArguments,
    private readonly flag: WriteFlag,
    data: Data,
    options: FileOptions,
    /** Data and options as the program gave them. */
    private readonly content: unknown,
    private readonly value: unknown,
  ) {
    super(data, options, -1, FLAG_TRUSTED);
    this.small = smallWriteJob(open, data, options);
  }

  fallback(): Promise<void> {
    return nodePromiseOf(this.flag)(this.open.path as string, this.content as string, this.value as never);
  }

  async openAndWrite(): Promise<void> {
    this.fd = await openDescriptor(this.open);
    if (this.fd === UNSUPPORTED) return countedFallback(this.fallback());
    return closingAfter(
      this.fd,
      () => this.writeAndSync(),
      (handle) => writeByNode(handle, this.content, this.value, this.options.flush),
    );
  }
}

function tryParseWrite(path: unknown, content: unknown, value: unknown, flag: WriteFlag): WritePathJob | undefined {
  const options = tryParseFileOptions(value, flag);
  const data = options === undefined ? undefined : tryParseData(content, options.encoding);
  const open = options === undefined ? undefined : tryParseOpen(path, options.flag, options.mode, undefined);
  if (options === undefined || data === undefined || open === undefined) return undefined;
  return new WritePathJob(open, flag, data, options, content, value);
}

function tryWritePath(path: unknown, content: unknown, value: unknown, flag: WriteFlag): Promise<void> | undefined {
  const job = parsedOrUndefined(() => tryParseWrite(path, content, value, flag));
  if (job?.small === undefined) return job?.openAndWrite();
  return startWithPromise(job.small, () => job.fallback()) as Promise<void>;
}

/** With a callback: strings and views only, no iterables, and they are written even when they are empty. */
function tryWriteFile(args: IArguments, flag: WriteFlag): boolean {
  const [path, data, options, last] = args as unknown as unknown[];
  const callback = last || options;
  const value = options === callback ? undefined : options;
  const bytes = typeof data === 'string' ? data.length : ArrayBuffer.isView(data) ? data.byteLength : 0;
  if (typeof callback !== 'function' || bytes === 0) return false;
  if (typeof path === 'number')
    return calledBackAfter(tryWriteDescriptor(path, data, value, flag), callback as Callback);
  const job = tryParseWrite(path, data, value, flag);
  if (job === undefined) return false;
  const later = [kept(path), data, kept(options), last];
  const fallback = (): void => void callFallback(flag === 'a' ? 'appendFile' : 'writeFile', later);
  if (job.small !== undefined) return startWithCallback(job.small, callback, fallback);
  return calledBackAfter(job.openAndWrite(), callback as Callback);
}

function calledBackAfter(promise: Promise<unknown> | undefined, callback: Callback): boolean {
  if (promise !== undefined) callBackAfter(promise, callback);
  return promise !== undefined;
}

export function writeFile(_path: unknown, _data: unknown, _options: unknown, _callback: unknown): void {
  // biome-ignore lint/complexity/noArguments: the number of arguments is part of the call
  if (!tryWriteFile(arguments, 'w')) callFallback('writeFile', arguments);
}

export function appendFile(_path: unknown, _data: unknown, _options: unknown, _callback: unknown): void {
  // biome-ignore lint/complexity/noArguments: the number of arguments is part of the call
  if (!tryWriteFile(arguments, 'a')) callFallback('appendFile', arguments);
}

async function writeOther(path: unknown, data: unknown, options: unknown, flag: WriteFlag): Promise<void> {
  if (isOpenHandle(path)) return path.writeFile(data as string, options as never);
  const promise = tryWritePath(path, data, options, flag);
  if (promise !== undefined) return promise;
  countDelegated();
  return nodePromiseOf(flag)(path as string, data as string, options as never);
}

/** The plainest form without the ticks of an async function. */
function writePlainest(path: unknown, data: unknown, options: unknown, flag: WriteFlag): Promise<void> | undefined {
  const isPlainest = typeof path === 'string' && (options === undefined || typeof options === 'string');
  return isPlainest ? tryWritePath(path, data, options, flag) : undefined;
}

/** Methods, because these are no constructors, as async functions are none; `async` itself would cost ticks. */
export const writeFilePromises = {
  writeFile(path: unknown, data: unknown, options: unknown): Promise<void> {
    return writePlainest(path, data, options, 'w') ?? writeOther(path, data, options, 'w');
  },

  appendFile(path: unknown, data: unknown, options: unknown): Promise<void> {
    return writePlainest(path, data, options, 'a') ?? writeOther(path, data, options, 'a');
  },
};
