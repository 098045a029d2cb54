// readFile, writeFile and appendFile of node:fs with a callback: the promises of read-whole.ts and write-whole.ts,
// handed to a callback.

import { AsyncResource } from 'node:async_hooks';
import { setImmediate } from 'node:timers';
import { type Callback, delegate } from './callback-call';
import { readDescriptor, readPath } from './read-whole';
import { type WriteFlag, writeDescriptor, writePath } from './write-whole';

const MANUAL_DESTROY = { requireManualDestroy: true };

/**
 * Calls back with what the promise brings. From an immediate: what the callback throws is an uncaught exception, and
 * its ticks and microtasks run before the next callback, as after every completion in node. The resource carries the
 * caller's async context.
 */
function callBackAfter(promise: Promise<unknown>, callback: Callback): void {
  const resource = new AsyncResource('FSREQCALLBACK', MANUAL_DESTROY);
  const finish = (...results: [unknown, ...unknown[]]): void => {
    resource.runInAsyncScope(setImmediate, undefined, called, callback, ...results);
    resource.emitDestroy();
  };
  promise.then((value) => (value === undefined ? finish(null) : finish(null, value)), finish);
}

function called(callback: Callback, ...results: [unknown, ...unknown[]]): void {
  callback(...results); // not as a method of the immediate
}

export function readFile(path: unknown, options: unknown, callback: unknown): void {
  const finished = callback || options;
  const asked = options === finished ? undefined : options;
  const reader = typeof path === 'number' ? readDescriptor : readPath;
  const promise = typeof finished === 'function' ? reader(path, asked) : undefined;
  // biome-ignore lint/complexity/noArguments: the number of arguments is part of the call
  if (promise === undefined) delegate('readFile', arguments);
  else callBackAfter(promise, finished as Callback);
}

export function writeFile(path: unknown, data: unknown, options: unknown, callback: unknown): void {
  // biome-ignore lint/complexity/noArguments: the number of arguments is part of the call
  if (!written(path, data, options, callback, 'w')) delegate('writeFile', arguments);
}

export function appendFile(path: unknown, data: unknown, options: unknown, callback: unknown): void {
  // biome-ignore lint/complexity/noArguments: the number of arguments is part of the call
  if (!written(path, data, options, callback, 'a')) delegate('appendFile', arguments);
}

// The callback form takes strings and views only, no iterables, and writes them even when they are empty.
function written(path: unknown, data: unknown, options: unknown, callback: unknown, flag: WriteFlag): boolean {
  const finished = callback || options;
  const asked = options === finished ? undefined : options;
  const bytes = typeof data === 'string' ? data.length : ArrayBuffer.isView(data) ? data.byteLength : 0;
  if (typeof finished !== 'function' || bytes === 0) return false;
  const writer = typeof path === 'number' ? writeDescriptor : writePath;
  const promise = writer(path, data, asked, flag);
  if (promise !== undefined) callBackAfter(promise, finished as Callback);
  return promise !== undefined;
}
