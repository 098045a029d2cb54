// The functions of node:fs and node:fs/promises that are one pool job, by name, for the modules that are put together in
// fs.ts and promises.ts (docs/decisions/0008-paths-on-the-engine.md).

import { type Callback, delegate } from '../engine/fallback';
import { calledBack, type PoolJob, promised } from '../engine/pool-job';
import { nodePromises } from '../node/promises';
import { tryParseCp } from './cp';
import { hostCallbacks, hostCallPromises } from './node-in-turn';
import { plainChanges } from './path-syscalls';
import { tryParseListing, tryParseReaddir, tryParseRm } from './readdir';

type AnyFunction = (...args: unknown[]) => unknown;
/** The engine's call for the arguments; undefined where node:fs is to judge them. */
type Plain = (a: unknown, b: unknown, c: unknown, again: () => unknown) => PoolJob | undefined;

const plainCalls = {
  ...plainChanges,
  cp: tryParseCp,
  readdir: (path: unknown, options: unknown, _: unknown, again: () => unknown) => tryParseReaddir(path, options, again),
  rm: (path: unknown, options: unknown, _: unknown, again: () => unknown) => tryParseRm(path, options, again),
} satisfies Record<string, Plain>;

type PathName = keyof typeof plainCalls;

const host = nodePromises as unknown as Record<string, AnyFunction>;

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
  const call =
    typeof callback === 'function' ? tryParseCp(from, to, asked, () => host.cp!(from, to, asked)) : undefined;
  // As node calls it: with an error, or with null and undefined.
  const done = (error: unknown): unknown =>
    error ? (callback as Callback)(error) : (callback as Callback)(null, undefined);
  if (!calledBack(call, done, again)) again();
}

/** How many arguments stand in front of the callback: one of `required` may be followed by one that may be left out. */
interface Form {
  required: 1 | 2 | 3;
  optional?: boolean;
}

function callbackForm(name: PathName, { required, optional = false }: Form): AnyFunction {
  const plain = name === 'readdir' ? tryParseListing : (plainCalls[name] as Plain);
  return function callbackFunction(...args: unknown[]): void {
    const at = optional && typeof args[required] !== 'function' ? required + 1 : required;
    const callback = args[at];
    const given = args.slice(0, at) as [unknown, unknown, unknown];
    const again = (): void => void delegate(name, args);
    const call =
      typeof callback === 'function' ? plain(given[0], given[1], given[2], () => host[name]!(...given)) : undefined;
    if (!calledBack(call, callback, again)) again();
  };
}

const CALLBACK_FORMS = {
  rm: { required: 1, optional: true },
  truncate: { required: 1, optional: true },
  mkdir: { required: 1, optional: true },
  rmdir: { required: 1, optional: true },
  readlink: { required: 1, optional: true },
  readdir: { required: 1, optional: true },
  unlink: { required: 1 },
  rename: { required: 2 },
  link: { required: 2 },
  // With a type node's, which calls back with another `this` then since Node 24.
  symlink: { required: 2 },
  chmod: { required: 2 },
  chown: { required: 3 },
  lchown: { required: 3 },
} satisfies Partial<Record<PathName, Form>>;

function functionsOf<Name extends string>(names: readonly Name[], form: (name: Name) => AnyFunction) {
  return Object.fromEntries(names.map((name) => [name, form(name)])) as Record<Name, AnyFunction>;
}

export const pathCallbacks = {
  ...hostCallbacks,
  ...functionsOf(Object.keys(CALLBACK_FORMS) as (keyof typeof CALLBACK_FORMS)[], (name) =>
    callbackForm(name, CALLBACK_FORMS[name]),
  ),
  cp,
};

export const pathPromises = {
  ...hostCallPromises,
  ...functionsOf(Object.keys(plainCalls) as PathName[], promiseForm),
};
