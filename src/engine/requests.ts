// Requests in flight, seen from JavaScript: `pending[slot]` is what the engine's slot settles. One object per request:
// it is young when it is made and when it dies, so it costs one write barrier where an array per field would cost one
// each. Its `keepAlive` keeps a buffer referenced until the kernel's completion has been delivered.

import { AsyncResource } from 'node:async_hooks';
import { ACCEPTED, type Addon, ofMainContext, UNSUPPORTED } from '../native/addon';
import { rejectWithSystemError } from '../node/errors';
import { afterTicks } from './after-ticks';
import { makeDeliver, type Pending } from './deliver';
import { tellSlowCalls } from './slow-calls';

type Resolve = (value: unknown) => void;

/** How a promised request ends. One constant object per kind of operation, so that the hot path makes no closures. */
export interface Completion {
  /** The system call that an error names. */
  readonly syscall: string;
  /** The value for a result at or above zero, which shows the buffer. Runs no foreign code. */
  value(result: number, buffer: unknown): unknown;
  /** The file turned out not to be the engine's: node's own method. */
  fallback(request: PromiseRequest): Promise<unknown>;
  /** The request is over: FileHandles count their operations, so that close waits for them. */
  released(owner: object): void;
}

/** The thread's, from connect() on: copies of this module in one thread share the slots. */
let pending: (Pending | undefined)[] = [];

/** A request whose end a promise waits for, with the arguments that node's method would need. */
export class PromiseRequest implements Pending {
  resolve: Resolve | undefined;

  constructor(
    /** What was called: the FileHandle. */
    readonly owner: object,
    readonly completion: Completion,
    readonly keepAlive: unknown,
    readonly offset: unknown,
    readonly length: unknown,
    readonly position: unknown,
  ) {
    this.resolve = undefined;
  }

  get callsBack(): boolean {
    return false;
  }

  settle(result: number): void {
    const { completion } = this;
    const resolve = this.resolve!;
    try {
      if (result >= 0) resolve(completion.value(result, this.keepAlive));
      else if (result === UNSUPPORTED) resolve(completion.fallback(this));
      else rejectWithSystemError(resolve, result, completion.syscall);
    } finally {
      completion.released(this.owner);
    }
  }
}

class Step implements Pending {
  constructor(
    readonly resolve: (result: number) => void,
    readonly keepAlive: unknown,
  ) {}

  get callsBack(): boolean {
    return false;
  }

  settle(result: number): void {
    this.resolve(result);
  }
}

/** A request that keeps no memory alive and runs no foreign code. */
export abstract class BareRequest implements Pending {
  get keepAlive(): undefined {
    return undefined;
  }

  get callsBack(): boolean {
    return false;
  }

  abstract settle(result: number): void;
}

/** Hands the result of an accepted request to `request`, which settles a promise: it runs no foreign code. */
export function settleWith(answer: number, request: Pending): void {
  pending[ACCEPTED - answer] = request;
}

/** A promise for an accepted request. */
export function promiseOf(answer: number, request: PromiseRequest): Promise<unknown> {
  pending[ACCEPTED - answer] = request;
  // Into the request, which is as young as the promise: a store into anything older costs a write barrier.
  return new Promise((resolve) => {
    request.resolve = resolve;
  });
}

/**
 * The plain result of an answer, for chains of steps inside the engine: a count, a descriptor, 0, a negative errno or
 * UNSUPPORTED. `keepAlive` stays referenced meanwhile.
 */
export function resultOf(answer: number, keepAlive?: unknown): Promise<number> {
  if (answer === UNSUPPORTED) return Promise.resolve(answer);
  if (answer >= 0) return afterTicks(answer);
  return new Promise((resolve) => {
    pending[ACCEPTED - answer] = new Step(resolve, keepAlive);
  });
}

const MANUAL_DESTROY = { requireManualDestroy: true };

let chained: { requireManualDestroy: true; triggerAsyncId: number } | undefined;

/** One request, made once, stands for all those that node would have made before the last. */
function triggeredByAnother(): { requireManualDestroy: true; triggerAsyncId: number } {
  if (chained === undefined) {
    const another = new AsyncResource('FSREQCALLBACK', MANUAL_DESTROY);
    another.emitDestroy();
    chained = { requireManualDestroy: true, triggerAsyncId: another.asyncId() };
  }
  return chained;
}

/**
 * One callback with the async context of its call, as node's FSReqCallback keeps it. Destroyed right after the
 * callback, so there is nothing for a finalizer to do.
 */
export abstract class CallbackRequest extends AsyncResource implements Pending {
  /** `chained`: node makes several requests of it, so that another one has triggered the last. */
  constructor(
    readonly keepAlive: unknown,
    chained = false,
  ) {
    super('FSREQCALLBACK', chained ? triggeredByAnother() : MANUAL_DESTROY);
  }

  get callsBack(): boolean {
    return true;
  }

  settle(result: number): void {
    this.runInAsyncScope(this.finishGuarded, this, result);
    this.emitDestroy();
  }

  /** What the callback throws is raised in its own async context: there domains and handlers look for theirs. */
  private finishGuarded(result: number): void {
    try {
      this.finish(result);
    } catch (error) {
      uncaught(error);
    }
  }

  /** Gets the result in the caller's async context. May throw what it likes. */
  abstract finish(result: number): void;
}

class CallbackOfFunction extends CallbackRequest {
  constructor(
    keepAlive: unknown,
    override readonly finish: (result: number) => void,
  ) {
    super(keepAlive);
  }
}

/** Hands the result of an accepted request to `request`. */
export function callBackTo(answer: number, request: CallbackRequest): void {
  pending[ACCEPTED - answer] = request;
}

/** The same for a plain function. `keepAlive` stays referenced meanwhile. */
export function callBackWith(answer: number, keepAlive: unknown, finish: (result: number) => void): void {
  callBackTo(answer, new CallbackOfFunction(keepAlive, finish));
}

/**
 * Runs nextTicks and microtasks, as node does between two timers of one list. It is the one way to do so without going
 * back to C++ for each callback (docs/decisions/0002-batched-callbacks.md). Undefined where it is not there, or would
 * print a warning: then every callback gets a delivery of its own.
 */
function findDrain(): (() => void) | undefined {
  const options = [...process.execArgv, process.env.NODE_OPTIONS ?? ''];
  const warns = process.env.NODE_PENDING_DEPRECATION === '1' || options.some((text) => text.includes('deprecation'));
  const { _tickCallback } = warns ? {} : (process as { _tickCallback?: () => void });
  return typeof _tickCallback === 'function' ? _tickCallback : undefined;
}

let uncaught: (error: unknown) => void;

/** Gives the addon its way back into JavaScript, right after the engine has started. */
export function connect(native: Addon): void {
  ({ uncaught } = native);
  const { shared } = native;
  pending = shared.pending as (Pending | undefined)[];
  // Another copy of this module was here first: its `deliver` settles what is put into the table.
  if (shared.connected) return;
  shared.connected = true;
  tellSlowCalls(native);
  const drain = findDrain();
  const make = ofMainContext(makeDeliver, pending);
  native.setHandlers(
    make(shared.results, pending, uncaught, drain),
    shared.results,
    pending,
    drain === undefined ? 0 : 1,
  );
}
