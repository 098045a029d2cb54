// The end of a promise, handed to a callback.

import { AsyncResource } from 'node:async_hooks';
import { setImmediate } from 'node:timers';
import type { Callback } from './callback-call';

const MANUAL_DESTROY = { requireManualDestroy: true };

/**
 * Calls back with what the promise brings. From an immediate: what the callback throws is an uncaught exception, and
 * its ticks and microtasks run before the next callback, as after every completion in node. The resource carries the
 * caller's async context.
 */
export function callBackAfter(promise: Promise<unknown>, callback: Callback): void {
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
