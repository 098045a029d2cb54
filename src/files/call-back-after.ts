// The end of a promise, handed to a callback.

import { CallbackRequest, callBackTo } from '../engine/requests';
import { startedEngine } from '../engine/runtime';
import { FLAG_CALLBACK } from '../native/addon';
import type { Callback } from './callback-call';

/**
 * Calls back with what the promise brings, from the poll phase of the event loop like after any completion: what the
 * callback throws is an uncaught exception, its ticks and microtasks run before the next callback, and an immediate
 * that it asks for comes before a timer. Only for promises that the engine has given.
 */
export function callBackAfter(promise: Promise<unknown>, callback: Callback): void {
  const request = new Outcome(callback);
  promise.then(
    (value) => request.deliver(value === undefined ? [null] : [null, value]),
    (error) => request.deliver([withoutFrames(error)]),
  );
}

// A promise's error shows where it was made, which is in here; that of a callback has no frames in node.
function withoutFrames(error: unknown): unknown {
  if (error instanceof Error && 'syscall' in error) error.stack = `${error.name}: ${error.message}`;
  return error;
}

/** Made by the call, whose async context the callback gets. */
class Outcome extends CallbackRequest {
  private results: [unknown, unknown?] = [null];

  constructor(readonly callback: Callback) {
    super(undefined, true);
  }

  deliver(results: [unknown, unknown?]): void {
    this.results = results;
    callBackTo(startedEngine()!.later(FLAG_CALLBACK, 0), this);
  }

  finish(): void {
    const { callback, results } = this;
    callback(...(results as [unknown]));
  }
}
