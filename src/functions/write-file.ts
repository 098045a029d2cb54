// writeFile and appendFile of a path or a descriptor, with a callback and as a promise. Functions answer undefined or
// false for what node:fs has to judge. What is written once the file is open: descriptor/write-all.ts.

import { types } from 'node:util';
import { closingAfter } from '../descriptor/fallback-handle';
import { type OpenArguments, openDescriptor, tryParseOpen } from '../descriptor/open';
import { syncStep } from '../descriptor/transfers';
import { type Data, tryParseData, writeByNode, writeOpen } from '../descriptor/write-all';
import { isDescriptor } from '../engine/arguments';
import { type Callback, callBackAfter } from '../engine/callbacks';
import { engine } from '../engine/engine';
import { callFallback, countedFallback, orFallback, viaCallback } from '../engine/fallback';
import { type FileOptions, tryParseFileOptions } from '../engine/file-options';
import { type PoolJob, startWithCallback, startWithPromise } from '../engine/pool-job';
import { countDelegated } from '../engine/stats';
import { isOpenHandle } from '../file-handle/file-handle';
import { FLAG_TRUSTED, UNSUPPORTED } from '../native/addon';
import { nodeFs } from '../node/fs';
import { nodePromises } from '../node/promises';
import { smallWriteJob } from './write-small-file';

/** 'w' for writeFile, 'a' for appendFile. */
export type WriteFlag = 'w' | 'a';

const nodePromiseOf = (flag: WriteFlag) => (flag === 'a' ? nodePromises.appendFile : nodePromises.writeFile);

/** writeFile or appendFile of a descriptor, in the callback form: no iterables, and nothing to write is a write too. */
function tryWriteDescriptor(fd: unknown, data: unknown, options: unknown, flag: WriteFlag): Promise<void> | undefined {
  const parsed = tryParseFileOptions(options, flag);
  const bytes = parsed === undefined ? undefined : tryParseData(data, parsed.encoding);
  if (parsed === undefined || !types.isUint8Array(bytes) || bytes.byteLength === 0) return undefined;
  if (!isDescriptor(fd) || engine() === undefined) return undefined;
  const nodeWrite = flag === 'a' ? nodeFs.appendFile : nodeFs.writeFile;
  return orFallback(
    async () => {
      await writeOpen({ fd, requestFlags: 0 }, bytes, parsed);
      if (parsed.flush) await syncStep(fd, 0);
    },
    () => countedFallback(viaCallback<void>((done) => nodeWrite(fd, data as string, options as never, done as never))),
  );
}

/** A call of writeFile or appendFile of a path: as the program made it, and as the engine takes it. */
interface WriteCall {
  data: unknown;
  options: unknown;
  flag: WriteFlag;
  open: OpenArguments;
  bytes: Data;
  parsed: FileOptions;
  /** Where one pool job does all of it. */
  poolJob: PoolJob | undefined;
}

function tryParseWrite(path: unknown, data: unknown, options: unknown, flag: WriteFlag): WriteCall | undefined {
  const parsed = tryParseFileOptions(options, flag);
  const bytes = parsed === undefined ? undefined : tryParseData(data, parsed.encoding);
  const open = parsed === undefined ? undefined : tryParseOpen(path, parsed.flag, parsed.mode, undefined);
  if (parsed === undefined || bytes === undefined || open === undefined) return undefined;
  return { data, options, flag, open, bytes, parsed, poolJob: smallWriteJob(open, bytes, parsed) };
}

/** writeFile or appendFile of a path. */
function tryWritePath(path: unknown, data: unknown, options: unknown, flag: WriteFlag): Promise<void> | undefined {
  const call = tryParseWrite(path, data, options, flag);
  if (call?.poolJob === undefined) return call === undefined ? undefined : writeInSteps(call);
  const fallback = (): Promise<void> => nodePromiseOf(flag)(call.open.path as string, data as string, options as never);
  return startWithPromise(call.poolJob, fallback) as Promise<void>;
}

async function writeInSteps({ open, data, options, flag, bytes, parsed }: WriteCall): Promise<void> {
  const fd = await openDescriptor(open);
  if (fd === UNSUPPORTED) {
    return countedFallback(nodePromiseOf(flag)(open.path as string, data as string, options as never));
  }
  return closingAfter(
    fd,
    async () => {
      await writeOpen({ fd, requestFlags: FLAG_TRUSTED }, bytes, parsed);
      if (parsed.flush) await syncStep(fd, FLAG_TRUSTED);
    },
    (handle) => writeByNode(handle, data, options, parsed.flush),
  );
}

/** With a callback: strings and views only, no iterables, and they are written even when they are empty. */
function tryWriteFile(args: IArguments, flag: WriteFlag): boolean {
  const [path, data, options, last] = args as unknown as unknown[];
  const callback = last || options;
  const given = options === callback ? undefined : options;
  const bytes = typeof data === 'string' ? data.length : ArrayBuffer.isView(data) ? data.byteLength : 0;
  if (typeof callback !== 'function' || bytes === 0) return false;
  if (typeof path === 'number')
    return calledBackAfter(tryWriteDescriptor(path, data, given, flag), callback as Callback);
  const call = tryParseWrite(path, data, given, flag);
  if (call === undefined) return false;
  const fallback = (): void => void callFallback(flag === 'a' ? 'appendFile' : 'writeFile', args);
  if (call.poolJob !== undefined) return startWithCallback(call.poolJob, callback, fallback);
  return calledBackAfter(writeInSteps(call), callback as Callback);
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
