// Requests in flight, seen from JavaScript: arrays indexed by the engine's slot numbers hold what each one settles.
// A buffer stays in its array, and so stays referenced, until the kernel's completion has been delivered.

import { AsyncResource } from 'node:async_hooks';
import { ACCEPTED, type Addon, NOT_TAKEN, RESULTS_MAX } from '../native/addon';

/** Settles one request; `result` is a count, a descriptor, 0, a negative errno, or NOT_TAKEN. */
export type Settle = (result: number) => void;

/** What FileHandle.read and write resolve to, given the bytes moved. */
type Resolve = (value: unknown) => void;
type Shape = (bytes: number, subject: unknown) => unknown;

/** Turns a result below zero into a rejection, or serves the call through node:fs when it was NOT_TAKEN. */
export interface FailurePath {
  fail(result: number, subject: unknown, resolve: Resolve, reject: (error: unknown) => void): void;
}

const results = new Int32Array(RESULTS_MAX * 2);
const resolves: (Resolve | undefined)[] = [];
const rejects: (((error: unknown) => void) | undefined)[] = [];
const subjects: unknown[] = [];
const shapes: (Shape | undefined)[] = [];
const failures: (FailurePath | undefined)[] = [];
const settles: (Settle | undefined)[] = [];

let takenResolve: Resolve;
let takenReject: (error: unknown) => void;

function takeFunctions(resolve: Resolve, reject: (error: unknown) => void): void {
  takenResolve = resolve;
  takenReject = reject;
}

/** The hot form: a promise for an accepted read or write, without a closure per operation. */
export function promiseFor(answer: number, subject: unknown, shape: Shape, failure: FailurePath): Promise<never> {
  const slot = ACCEPTED - answer;
  const promise = new Promise<never>(takeFunctions as never);
  resolves[slot] = takenResolve;
  rejects[slot] = takenReject;
  subjects[slot] = subject;
  shapes[slot] = shape;
  failures[slot] = failure;
  return promise;
}

/** The general form: `settle` gets the result, whatever it is. `subject` is kept alive meanwhile. */
export function onSettled(answer: number, subject: unknown, settle: Settle): void {
  const slot = ACCEPTED - answer;
  settles[slot] = settle;
  subjects[slot] = subject;
}

/** A promise of the plain result of an accepted or inline answer, for chains of steps inside the engine. */
export function resultOf(answer: number, subject: unknown): Promise<number> {
  if (answer > ACCEPTED) return Promise.resolve(answer);
  return new Promise((resolve) => onSettled(answer, subject, resolve));
}

// One call per batch of promise results. Nobody's code runs inside the loop: resolving a promise only queues jobs.
function deliver(count: number): void {
  for (let index = 0; index < count; index++) {
    const slot = results[index * 2]!;
    const result = results[index * 2 + 1]!;
    const subject = subjects[slot];
    subjects[slot] = undefined;
    const settle = settles[slot];
    if (settle !== undefined) {
      settles[slot] = undefined;
      settle(result);
      continue;
    }
    const resolve = resolves[slot]!;
    if (result >= 0) {
      resolve(shapes[slot]!(result, subject));
    } else {
      failures[slot]!.fail(result, subject, resolve, rejects[slot]!);
    }
    resolves[slot] = rejects[slot] = undefined;
    failures[slot] = undefined;
  }
}

const MANUAL_DESTROY = { requireManualDestroy: true };

/**
 * One callback with the async context of the call that asked for it, as node's FSReqCallback keeps it. Destroy hooks
 * run right after the callback, so there is nothing for a finalizer to do.
 */
export class CallbackRequest extends AsyncResource {
  readonly settle: (this: unknown, result: number) => void;

  constructor(settle: (result: number) => void) {
    super('FSREQCALLBACK', MANUAL_DESTROY);
    this.settle = settle;
  }
}

const callbackRequests: (CallbackRequest | undefined)[] = [];

export function onCalledBack(answer: number, subject: unknown, settle: (result: number) => void): void {
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

export function connect(native: Addon): void {
  native.setHandlers(deliver, callBack, results);
}

export function isAccepted(answer: number): boolean {
  return answer <= ACCEPTED;
}

export { NOT_TAKEN };
