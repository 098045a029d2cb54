// One call of a callback function: to the engine, or to node:fs with the arguments as they came.

import { systemErrorWithoutFrames } from '../node/errors';
import { nodeFs } from '../node/fs';
import { countDelegated, UNSUPPORTED } from './engine';
import { callBackWith } from './requests';

export type Callback = (error: unknown, ...values: unknown[]) => void;

// biome-ignore lint/suspicious/noExplicitAny: node's functions with all their overloads
const host = nodeFs as any;

/** node:fs serves the call, or words its error. */
export function delegate(name: string, args: ArrayLike<unknown>): unknown {
  countDelegated();
  return host[name].apply(nodeFs, args);
}

/** What was asked for: the function's name, its arguments, and the name of the system call in errors. */
export interface Call {
  name: string;
  args: ArrayLike<unknown>;
  syscall: string;
}

/**
 * Hooks the engine's answer up with the callback: `(error, count, shown)`. `subject` stays alive meanwhile. The first
 * operation on a number tells whose file it is, so that node:fs may have to serve the call only then.
 */
export function finishTransfer(call: Call, answer: number, subject: unknown, shown: unknown, callback: Callback): void {
  finish(call, answer, subject, (result) => {
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

function finish(call: Call, answer: number, subject: unknown, done: (result: number) => void): void {
  if (answer === UNSUPPORTED) {
    delegate(call.name, call.args);
    return;
  }
  callBackWith(answer, subject, (result) => {
    if (result === UNSUPPORTED) delegate(call.name, call.args);
    else done(result);
  });
}
