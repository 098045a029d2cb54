// Requests in flight, seen from JavaScript: arrays indexed by the engine's slot numbers hold what each one settles.
// A buffer stays in its array, and so stays referenced, until the kernel's completion has been delivered.

import { AsyncResource } from 'node:async_hooks';
import { ACCEPTED, type Addon, RESULTS_MAX } from '../native/addon';

type Resolve = (value: unknown) => void;

/**
 * How a promised request ends. One constant object per kind of operation, so that the hot path stores no closures.
 * `subject` is what the promise's value shows (the buffer), `owner` what was called (the FileHandle).
 */
export interface Ending {
  /** The value for a result at or above zero. Runs no foreign code. */
  value(result: number, subject: unknown): unknown;
  /** A result below zero: a negative errno, or NOT_TAKEN. Settles the promise, now or later. */
  failed(result: number, subject: unknown, owner: object, extra: unknown, resolve: Resolve): void;
  /** The request is over: FileHandles count their operations, so that close waits for them. */
  released(owner: object): void;
}

const results = new Int32Array(RESULTS_MAX * 2);
const resolves: (Resolve | undefined)[] = [];
const subjects: unknown[] = [];
const owners: (object | undefined)[] = [];
const extras: unknown[] = [];
const endings: (Ending | undefined)[] = [];
const settles: ((result: number) => void)[] = [];

let takenResolve: Resolve;

function takeResolve(resolve: Resolve): void {
  takenResolve = resolve;
}

/** A promise for an accepted request. `extra` is kept for `ending.failed` (positions, for a delegated retry). */
export function promiseOf(answer: number, subject: unknown, owner: object, extra: unknown, ending: Ending): Promise<never> {
  const slot = ACCEPTED - answer;
  const promise = new Promise<never>(takeResolve as never);
  resolves[slot] = takenResolve;
  subjects[slot] = subject;
  owners[slot] = owner;
  extras[slot] = extra;
  endings[slot] = ending;
  return promise;
}

/**
 * The plain result of an answer, for chains of steps inside the engine: a count, a descriptor, 0, a negative errno or
 * NOT_TAKEN. `subject` is kept alive meanwhile.
 */
export function resultOf(answer: number, subject?: unknown): Promise<number> {
  if (answer > ACCEPTED) return Promise.resolve(answer);
  const slot = ACCEPTED - answer;
  subjects[slot] = subject;
  return new Promise((resolve) => {
    settles[slot] = resolve;
  });
}

function settleOne(slot: number, result: number): void {
  const subject = subjects[slot];
  subjects[slot] = undefined;
  const ending = endings[slot];
  if (ending === undefined) {
    const settle = settles[slot]!;
    settles[slot] = undefined as never;
    settle(result);
    return;
  }
  const resolve = resolves[slot]!;
  const owner = owners[slot]!;
  endings[slot] = undefined;
  owners[slot] = undefined;
  if (result >= 0) {
    resolve(ending.value(result, subject));
  } else {
    ending.failed(result, subject, owner, extras[slot], resolve);
  }
  resolves[slot] = undefined;
  extras[slot] = undefined;
  ending.released(owner);
}

// One call per batch of promise results. Nobody's code runs inside the loop: resolving a promise only queues jobs.
function deliver(count: number): void {
  for (let index = 0; index < count; index++) settleOne(results[index * 2]!, results[index * 2 + 1]!);
}

const MANUAL_DESTROY = { requireManualDestroy: true };

// One callback with the async context of the call that asked for it, as node's FSReqCallback keeps it. Destroyed right
// after the callback, so there is nothing for a finalizer to do.
class CallbackRequest extends AsyncResource {
  constructor(readonly settle: (result: number) => void) {
    super('FSREQCALLBACK', MANUAL_DESTROY);
  }
}

const callbackRequests: (CallbackRequest | undefined)[] = [];

/** `settle` runs in a callback scope of its own, with the caller's async context. */
export function callBackWith(answer: number, subject: unknown, settle: (result: number) => void): void {
  const slot = ACCEPTED - answer;
  callbackRequests[slot] = new CallbackRequest(settle);
  subjects[slot] = subject;
}

function callBack(slot: number, result: number): void {
  const request = callbackRequests[slot]!;
  callbackRequests[slot] = undefined;
  subjects[slot] = undefined;
  try {
    request.runInAsyncScope(request.settle, undefined, result);
  } finally {
    request.emitDestroy();
  }
}

/** Gives the addon its way back into JavaScript; once, right after the engine has started. */
export function connect(native: Addon): void {
  native.setHandlers(deliver, callBack, results, subjects);
}
