// How a call of a callback function ends: with the engine's result, with that of a promise, or with node:fs, which then
// gets the arguments as they came.

import { FLAG_CALLBACK, UNSUPPORTED } from '../native/addon';
import { systemErrorWithoutFrames } from '../node/errors';
import { startedEngine } from './engine';
import { callFallback } from './fallback';
import { CallbackRequest, callBackTo, callBackWith } from './requests';

export type Callback = (error: unknown, ...values: unknown[]) => void;

/** The function's name, its arguments, and the name of the system call in errors. */
export interface Call {
  name: string;
  args: ArrayLike<unknown>;
  syscall: string;
}

/**
 * Hooks the engine's answer up with the callback: `(error, count, shown)`. `keepAlive` stays referenced meanwhile. The
 * first operation on a number tells whose file it is, so that node:fs may have to serve the call only then.
 */
export function finishTransfer(
  call: Call,
  answer: number,
  keepAlive: unknown,
  shown: unknown,
  callback: Callback,
): void {
  finish(call, answer, keepAlive, (result) => {
    if (result >= 0) callback(null, result, shown);
    else callback(systemErrorWithoutFrames(result, call.syscall), 0, shown);
  });
}

/** The same for calls without a value: `(error)`. */
export function finishPlain(call: Call, answer: number, callback: Callback): void {
  finish(call, answer, undefined, (result) => {
    callback(result >= 0 ? null : systemErrorWithoutFrames(result, call.syscall));
  });
}

function finish(call: Call, answer: number, keepAlive: unknown, done: (result: number) => void): void {
  if (answer === UNSUPPORTED) {
    callFallback(call.name, call.args);
    return;
  }
  callBackWith(answer, keepAlive, (result) => {
    if (result === UNSUPPORTED) callFallback(call.name, call.args);
    else done(result);
  });
}

/**
 * Calls back with what the promise brings, from the poll phase of the event loop like after any completion: what the
 * callback throws is an uncaught exception, its ticks and microtasks run before the next callback, and an immediate
 * that it sets comes before a timer. Only for promises that the engine has given.
 */
export function callBackAfter(promise: Promise<unknown>, callback: Callback): void {
  const request = new Outcome(callback);
  promise.then(
    (value) => request.deliver(value === undefined ? [null] : [null, value]),
    (error) => request.deliver([withoutFrames(error)]),
  );
}

// A promise's error shows where it was made, which is in here; that of a callback has no frames in node. Only the
// engine's: errors of node's own, whose code shows in the first line, come from its promise forms as they are.
function withoutFrames(error: unknown): unknown {
  if (error instanceof Error && 'syscall' in error && error.name === 'Error')
    error.stack = `${error.name}: ${error.message}`;
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
