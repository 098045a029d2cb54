// The functions of node:fs and node:fs/promises that one trip to the pool does: by name, for the modules that are put
// together in fs.ts and promises.ts. docs/decisions/0008-paths-on-the-engine.md says which form of which is worth it.

import { hostPromises } from '../internal/host-promises';
import { type Callback, delegate } from './callback-call';
import { plainCp } from './copies';
import { plainReaddir, plainRm } from './directories';
import { calledBack, type PathCall, promised } from './path-call';
import { plainChanges } from './path-changes';

type AnyFunction = (...args: unknown[]) => unknown;
/** The engine's call for the arguments; undefined where node:fs is to judge them. */
type Plain = (a: unknown, b: unknown, c: unknown, again: () => unknown) => PathCall | undefined;

const plainCalls = {
  ...plainChanges,
  cp: plainCp,
  readdir: (path: unknown, options: unknown, _: unknown, again: () => unknown) => plainReaddir(path, options, again),
  rm: (path: unknown, options: unknown, _: unknown, again: () => unknown) => plainRm(path, options, again),
} satisfies Record<string, Plain>;

type PathName = keyof typeof plainCalls;

const host = hostPromises as unknown as Record<string, AnyFunction>;

/** The form with a promise. A method, because it is no constructor; not async, which would cost ticks. */
function promiseForm(name: PathName): AnyFunction {
  const plain = plainCalls[name] as Plain;
  const { method } = {
    method(a: unknown, b: unknown, c: unknown): unknown {
      const again = (): unknown => host[name]!(a, b, c);
      return promised(plain(a, b, c, again), again);
    },
  };
  return method;
}

/** (from, to, callback) or (from, to, options, callback). */
function cp(from: unknown, to: unknown, options: unknown, last: unknown): void {
  // biome-ignore lint/complexity/noArguments: the number of arguments is part of the call
  const args = arguments;
  const [callback, asked] = typeof options === 'function' ? [options, undefined] : [last, options];
  const again = (): void => void delegate('cp', args);
  const call = typeof callback === 'function' ? plainCp(from, to, asked, () => host.cp!(from, to, asked)) : undefined;
  // As node calls it: with an error, or with null and undefined.
  const done = (error: unknown): unknown =>
    error ? (callback as Callback)(error) : (callback as Callback)(null, undefined);
  if (!calledBack(call, done, again)) again();
}

/** (path, callback) or (path, options, callback). */
function callbackForm(name: PathName): AnyFunction {
  const plain = plainCalls[name] as Plain;
  return function callbackFunction(path: unknown, options: unknown, last: unknown): void {
    // biome-ignore lint/complexity/noArguments: the number of arguments is part of the call
    const args = arguments;
    const callback = typeof options === 'function' ? options : last;
    const asked = typeof options === 'function' ? undefined : options;
    const again = (): void => void delegate(name, args);
    const call =
      typeof callback === 'function' ? plain(path, asked, undefined, () => host[name]!(path, asked)) : undefined;
    if (!calledBack(call, callback, again)) again();
  };
}

const functionsOf = <Name extends PathName>(names: readonly Name[], form: (name: PathName) => AnyFunction) =>
  Object.fromEntries(names.map((name) => [name, form(name)])) as Record<Name, AnyFunction>;

export const pathCallbacks = { ...functionsOf(['rm', 'truncate', 'mkdir'], callbackForm), cp };

export const pathPromises = functionsOf(Object.keys(plainCalls) as PathName[], promiseForm);
