// A call that node:fs serves, in its turn among the engine's calls: it waits behind an earlier call on its path or its
// file, and later calls wait behind it (csrc/scheduler/host_calls.cc).

import { type Addon, UNSUPPORTED } from '../native/addon';
import { runningEngine } from './backend-choice';
import type { Callback } from './callbacks';
import { pathsAreGuarded, startedEngine } from './engine';
import { callFallback } from './fallback';
import { CallbackRequest, callBackTo, settleWith } from './requests';
import { countDelegated } from './stats';

/** Tells the engine of a call that node:fs serves: no later one is to be answered ahead of it. */
export function announceChange(): void {
  runningEngine()?.native.pathsChangeElsewhere();
}

/** The engine where it has calls that others may have to wait for. */
export const engineWithCalls = (): Addon | undefined => (pathsAreGuarded() ? undefined : startedEngine());

/** Where the callback stands: the first function behind `from` arguments. */
export const callbackAt = (args: readonly unknown[], from: number): number =>
  args.findIndex((argument, index) => index >= from && typeof argument === 'function');

/** Node's turn has come to serve a call with a callback. */
class CallbackTurn extends CallbackRequest {
  constructor(readonly run: (turn: number) => void) {
    super(undefined);
  }

  finish(turn: number): void {
    this.run(turn);
  }
}

/** Calls node's function when `answer` says so; the callback, which stands at `at`, ends its turn. */
function callInTurn(native: Addon, answer: number, name: string, args: unknown[], at: number): void {
  const run = (turn: number): void => {
    if (turn <= 0) return void callFallback(name, args);
    const callback = args[at] as Callback;
    const ended = function (this: unknown, ...results: unknown[]): unknown {
      native.endHostCall(turn);
      return Reflect.apply(callback, this, results);
    };
    const called = args.slice();
    called[at] = ended;
    try {
      callFallback(name, called);
    } catch (error) {
      native.endHostCall(turn);
      throw error;
    }
  };
  if (answer >= 0) run(answer);
  else callBackTo(answer, new CallbackTurn(run));
}

/** A callback function of node's in its turn, or at once where node:fs is to judge the arguments. */
export function callbackInTurn(
  native: Addon | undefined,
  answer: number,
  name: string,
  args: unknown[],
  at: number,
): void {
  if (answer !== UNSUPPORTED) {
    callInTurn(native!, answer, name, args, at);
  } else {
    announceChange();
    callFallback(name, args);
  }
}

/** A promise of node's, begun when `answer` says so. Its end is the end of its turn. */
function beginInTurn(native: Addon, answer: number, call: () => Promise<unknown>): Promise<unknown> {
  const run = (turn: number): Promise<unknown> => {
    countDelegated();
    if (turn <= 0) return call();
    const end = (): void => native.endHostCall(turn);
    return call().then(
      (value) => {
        end();
        return value;
      },
      (error) => {
        end();
        throw error;
      },
    );
  };
  if (answer >= 0) return run(answer);
  return new Promise((resolve) => {
    settleWith(answer, { keepAlive: undefined, callsBack: false, settle: (turn) => resolve(run(turn)) });
  });
}

/** A promise function of node's in its turn, or at once where node:fs is to judge the arguments. */
export function promiseInTurn(
  native: Addon | undefined,
  answer: number,
  call: () => Promise<unknown>,
): Promise<unknown> {
  if (answer !== UNSUPPORTED) return beginInTurn(native!, answer, call);
  announceChange();
  countDelegated();
  return call();
}
