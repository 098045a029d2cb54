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

const MANUAL_DESTROY = { requireManualDestroy: true };

/**
 * One callback with the async context of the call that asked for it, as node's FSReqCallback keeps it. Destroyed right
 * after the callback, so there is nothing for a finalizer to do.
 */
export abstract class CallbackRequest extends AsyncResource {
  constructor() {
    super('FSREQCALLBACK', MANUAL_DESTROY);
  }
  /** Gets the result in the caller's async context, in a callback scope of its own. May throw what it likes. */
  abstract settle(result: number): void;
}

class SettleWith extends CallbackRequest {
  constructor(override readonly settle: (result: number) => void) {
    super();
  }
}

const callbackRequests: (CallbackRequest | undefined)[] = [];

/** Hands the result of an accepted request to `request`. `subject` stays alive meanwhile. */
export function callBackTo(answer: number, subject: unknown, request: CallbackRequest): void {
  const slot = ACCEPTED - answer;
  callbackRequests[slot] = request;
  subjects[slot] = subject;
}

/** The same for a plain function. */
export function callBackWith(answer: number, subject: unknown, settle: (result: number) => void): void {
  callBackTo(answer, subject, new SettleWith(settle));
}

function callBack(request: CallbackRequest, result: number): void {
  try {
    request.runInAsyncScope(request.settle, request, result);
  } finally {
    request.emitDestroy();
  }
}

/**
 * Runs nextTicks and microtasks, as node does between two timers of one list. It is the one way to do so without going
 * back to C++ for each callback, which costs 0.2 µs more. Undefined where it is not there, or would print a warning
 * (--pending-deprecation): then every callback gets a delivery of its own.
 */
function findDrain(): (() => void) | undefined {
  const warns = [...process.execArgv, process.env.NODE_OPTIONS ?? ''].some((text) => text.includes('pending-deprecation'));
  if (warns || process.env.NODE_PENDING_DEPRECATION === '1') return undefined;
  const { _tickCallback } = process as { _tickCallback?: () => void };
  return typeof _tickCallback === 'function' ? _tickCallback : undefined;
}

let drain: (() => void) | undefined;
/** How far a delivery is: a callback that throws ends the call, and the next call goes on behind it. */
let delivered = 0;
/** Something has been settled since nextTicks and microtasks were drained. */
let undrained = false;

// One call per batch of results. Between callbacks everything that was settled before has its say, as in node; promises
// only queue jobs, so nobody's code runs between two of them.
function deliver(count: number): void {
  while (delivered < count) {
    const slot = results[delivered * 2]!;
    const result = results[delivered * 2 + 1]!;
    const request = callbackRequests[slot];
    if (request === undefined) {
      delivered++;
      undrained = true;
      settleOne(slot, result);
      continue;
    }
    if (undrained) {
      undrained = false;
      drain?.();
    }
    delivered++;
    callbackRequests[slot] = undefined;
    subjects[slot] = undefined;
    undrained = true;
    callBack(request, result);
  }
  delivered = 0;
  undrained = false;
}

/** Gives the addon its way back into JavaScript; once, right after the engine has started. */
export function connect(native: Addon): void {
  drain = findDrain();
  native.setHandlers(deliver, results, subjects, drain === undefined ? 0 : 1);
}
