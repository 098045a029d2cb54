// fchmod, fchown and futimes, with callbacks and of a FileHandle: node serves them, in their turn among the engine's
// calls (engine/node-turn.ts).

import { areTimes, isDescriptor, isId, isMode } from '../engine/arguments';
import { callbackAt, callbackInTurn, engineWithCalls, promiseInTurn } from '../engine/node-turn';
import { type Addon, FLAG_CALLBACK, FLAG_TRUSTED, UNSUPPORTED } from '../native/addon';

type AnyFunction = (...args: unknown[]) => unknown;

/** Whether what stands behind the descriptor, and in front of the callback, is plainly well formed. */
const ARE_PLAIN = {
  fchmod: (rest: readonly unknown[]) => rest.length === 1 && isMode(rest[0]),
  fchown: (rest: readonly unknown[]) => rest.length === 2 && rest.every(isId),
  futimes: areTimes,
};

export type AttributeChange = keyof typeof ARE_PLAIN;

function callbackForm(name: AttributeChange): AnyFunction {
  return function callbackFunction(...args: unknown[]): void {
    const at = callbackAt(args, 1);
    const isPlain = at > 0 && isDescriptor(args[0]) && ARE_PLAIN[name](args.slice(1, at));
    const native = isPlain ? engineWithCalls() : undefined;
    const answer = native === undefined ? UNSUPPORTED : native.beginHostCallOn(args[0] as number, FLAG_CALLBACK);
    callbackInTurn(native, answer, name, args, at);
  };
}

export const fchmod = callbackForm('fchmod');
export const fchown = callbackForm('fchown');
export const futimes = callbackForm('futimes');

/** Methods of a FileHandle that are node's: `call` is one of them, on the open descriptor `fd`. */
export function changeHandleAttributes(
  native: Addon,
  fd: number,
  rest: readonly unknown[],
  name: AttributeChange,
  call: () => Promise<unknown>,
): Promise<unknown> {
  const isPlain = fd >= 0 && ARE_PLAIN[name](rest);
  return promiseInTurn(native, isPlain ? native.beginHostCallOn(fd, FLAG_TRUSTED) : UNSUPPORTED, call);
}
