// fchmod, fchown and futimes, with callbacks and of a FileHandle.

import { isDescriptor, isId, tryParseMode, tryParseTime } from '../engine/arguments';
import { type Callback, finishPlain } from '../engine/callbacks';
import { engine, pathsAreGuarded } from '../engine/engine';
import { callFallback } from '../engine/fallback';
import { announceChange } from '../engine/foreign-changes';
import { type Addon, FLAG_CALLBACK, UNSUPPORTED } from '../native/addon';
import { uvHabits } from '../node/uv';

type AnyFunction = (...args: unknown[]) => unknown;

/** Hands a change of the open descriptor to the engine; UNSUPPORTED where node:fs is to judge the arguments. */
export type AttributeChange = (native: Addon, fd: number, first: unknown, second: unknown, flags: number) => number;

export const changeMode: AttributeChange = (native, fd, mode, _, flags) => {
  const parsed = mode === undefined || mode === null ? undefined : tryParseMode(mode);
  return parsed === undefined ? UNSUPPORTED : native.setDescriptorMode(fd, parsed, flags);
};

export const changeOwner: AttributeChange = (native, fd, user, group, flags) =>
  isId(user) && isId(group) ? native.setDescriptorOwner(fd, user, group, flags) : UNSUPPORTED;

export const changeTimes: AttributeChange = (native, fd, atime, mtime, flags) => {
  const accessed = uvHabits === undefined ? undefined : tryParseTime(atime);
  const modified = accessed === undefined ? undefined : tryParseTime(mtime);
  if (modified === undefined) return UNSUPPORTED;
  return native.setDescriptorTimes(fd, accessed!, modified, uvHabits!.timesInMicroseconds, flags);
};

/** (fd, ..., callback) with so many arguments in front of the callback. `syscall`: what an error names. */
function callbackForm(name: string, syscall: string, change: AttributeChange, before: 2 | 3): AnyFunction {
  return function callbackFunction(...args: unknown[]): void {
    const [fd, first, second] = args;
    const callback = args[before];
    const native = isDescriptor(fd) && typeof callback === 'function' && !pathsAreGuarded() ? engine() : undefined;
    const answer = native === undefined ? UNSUPPORTED : change(native, fd as number, first, second, FLAG_CALLBACK);
    if (answer === UNSUPPORTED) {
      announceChange();
      callFallback(name, args);
    } else {
      finishPlain({ name, args, syscall }, answer, callback as Callback);
    }
  };
}

export const fchmod = callbackForm('fchmod', 'fchmod', changeMode, 2);
export const fchown = callbackForm('fchown', 'fchown', changeOwner, 3);
export const futimes = callbackForm('futimes', 'futime', changeTimes, 3);
