// readFile, writeFile and appendFile of node:fs with a callback: the promises of read-file.ts and write-file.ts,
// handed to a callback.

import { callBackAfter } from '../engine/callback-of-promise';
import { type Callback, delegate } from '../engine/fallback';
import { calledBack } from '../engine/pool-job';
import { decodeAtOnce, readDescriptor, readPath } from './read-file';
import { tryParseWrite, type WriteFlag, writeDescriptor, writeInSteps } from './write-file';

export function readFile(path: unknown, options: unknown, callback: unknown): void {
  const finished = callback || options;
  const asked = options === finished ? undefined : options;
  const read = (): Promise<unknown> | undefined =>
    typeof path === 'number' ? readDescriptor(path, asked) : readPath(path, asked, decodeAtOnce);
  const promise = typeof finished === 'function' ? read() : undefined;
  // biome-ignore lint/complexity/noArguments: the number of arguments is part of the call
  if (promise === undefined) delegate('readFile', arguments);
  else callBackAfter(promise, finished as Callback);
}

export function writeFile(_path: unknown, _data: unknown, _options: unknown, _callback: unknown): void {
  // biome-ignore lint/complexity/noArguments: the number of arguments is part of the call
  if (!written(arguments, 'w')) delegate('writeFile', arguments);
}

export function appendFile(_path: unknown, _data: unknown, _options: unknown, _callback: unknown): void {
  // biome-ignore lint/complexity/noArguments: the number of arguments is part of the call
  if (!written(arguments, 'a')) delegate('appendFile', arguments);
}

// The callback form takes strings and views only, no iterables, and writes them even when they are empty.
function written(args: IArguments, flag: WriteFlag): boolean {
  const [path, data, options, callback] = args as unknown as unknown[];
  const finished = callback || options;
  const asked = options === finished ? undefined : options;
  const bytes = typeof data === 'string' ? data.length : ArrayBuffer.isView(data) ? data.byteLength : 0;
  if (typeof finished !== 'function' || bytes === 0) return false;
  if (typeof path === 'number') return calledBackAfter(writeDescriptor(path, data, asked, flag), finished as Callback);
  const written = tryParseWrite(path, data, asked, flag);
  if (written === undefined) return false;
  const again = (): void => void delegate(flag === 'a' ? 'appendFile' : 'writeFile', args);
  if (written.inOneTrip !== undefined) return calledBack(written.inOneTrip, finished, again);
  return calledBackAfter(writeInSteps(written), finished as Callback);
}

function calledBackAfter(promise: Promise<unknown> | undefined, callback: Callback): boolean {
  if (promise !== undefined) callBackAfter(promise, callback);
  return promise !== undefined;
}
