// copyFile, utimes, lutimes, opendir, statfs, mkdtemp and watchFile: functions on paths that stay node's and take their
// turn among the engine's calls (engine/node-turn.ts). Why each is node's: surface.ts.

import { areTimes, isOptions, tryParseNameEncoding, tryParsePath } from '../engine/arguments';
import { callFallback } from '../engine/fallback';
import { callbackAt, callbackInTurn, engineWithCalls, promiseInTurn } from '../engine/node-turn';
import { type Addon, HostCall, PATH_CALLBACK, UNSUPPORTED } from '../native/addon';
import { clearTimeout, nodeFs, setTimeout } from '../node/fs';
import { nodePromises } from '../node/promises';

type AnyFunction = (...args: unknown[]) => unknown;

interface OnPath {
  paths: 1 | 2;
  kind: HostCall;
  /** Whether what stands behind the paths, and in front of the callback, is plainly well formed. */
  arePlain(rest: readonly unknown[]): boolean;
}

/** At most one argument, an object with options of these names, or what `others` takes. */
function optional(
  names: Record<string, string>,
  others: (value: unknown) => boolean = () => false,
): OnPath['arePlain'] {
  return (rest) => {
    const [options] = rest;
    if (rest.length > 1) return false;
    if (options === undefined || others(options)) return true;
    if (!isOptions(options)) return false;
    return Object.entries(options).every(([name, value]) => typeof value === names[name] && value !== 0);
  };
}

const isEncoding = (value: unknown): boolean => typeof value === 'string' && tryParseNameEncoding(value) !== undefined;
const isCopyMode = (value: unknown): boolean =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) < 8;

const ON_PATHS = {
  // libuv says how a file is copied, and how times are rounded.
  copyFile: { paths: 2, kind: HostCall.copies, arePlain: optional({}, isCopyMode) },
  utimes: { paths: 1, kind: HostCall.changes, arePlain: areTimes },
  lutimes: { paths: 1, kind: HostCall.changes, arePlain: areTimes },
  opendir: {
    paths: 1,
    kind: HostCall.reads,
    arePlain: optional({ bufferSize: 'number', recursive: 'boolean' }, isEncoding),
  },
  statfs: { paths: 1, kind: HostCall.reads, arePlain: optional({ bigint: 'boolean' }) },
  mkdtemp: { paths: 1, kind: HostCall.changes, arePlain: optional({}, isEncoding) },
} satisfies Record<string, OnPath>;

type Name = keyof typeof ON_PATHS;

/** The engine's answer for a call on paths; UNSUPPORTED where node:fs is to judge the arguments. */
function begin(
  native: Addon | undefined,
  call: OnPath,
  args: readonly unknown[],
  rest: readonly unknown[],
  pathFlags: number,
): number {
  const path = native === undefined || !call.arePlain(rest) ? undefined : tryParsePath(args[0]);
  const target = call.paths === 2 ? tryParsePath(args[1]) : undefined;
  if (path === undefined || (call.paths === 2 && target === undefined)) return UNSUPPORTED;
  return native!.beginHostCall(path, target, call.kind, pathFlags);
}

function callbackForm(name: Name): AnyFunction {
  const call: OnPath = ON_PATHS[name];
  return function callbackFunction(...args: unknown[]): void {
    const at = callbackAt(args, call.paths);
    const native = at < 0 ? undefined : engineWithCalls();
    const answer = begin(native, call, args, args.slice(call.paths, at), PATH_CALLBACK);
    callbackInTurn(native, answer, name, args, at);
  };
}

function promiseForm(name: Name): AnyFunction {
  const call: OnPath = ON_PATHS[name];
  const { method } = {
    // No constructor, as an async function is none.
    method(...args: unknown[]): unknown {
      const native = engineWithCalls();
      const served = (): Promise<unknown> =>
        (nodePromises as unknown as Record<string, AnyFunction>)[name]!(...args) as Promise<unknown>;
      return promiseInTurn(native, begin(native, call, args, args.slice(call.paths), 0), served);
    },
  };
  return method;
}

/** Longer than the first look of a watcher takes, unless it hangs: then nobody is to wait for it. */
const FIRST_LOOK_MS = 100;

/**
 * What a watcher compares with is its first look at the file, which libuv's pool takes: a change that is made behind
 * the call must not come first. Pool jobs of libuv start in order, so that look is over when another one behind it is.
 */
function watchFile(...args: unknown[]): unknown {
  const at = callbackAt(args, 1);
  const path = at < 0 ? undefined : tryParsePath(args[0]);
  const native = path === undefined ? undefined : engineWithCalls();
  const turn = native === undefined ? 0 : native.beginHostCall(path!, undefined, HostCall.firstLook, 0);
  try {
    return callFallback('watchFile', args);
  } finally {
    if (turn > 0) {
      const end = (): void => native!.endHostCall(turn);
      const timer = setTimeout(end, FIRST_LOOK_MS).unref();
      nodeFs.stat(path as string, () => {
        clearTimeout(timer);
        end();
      });
    }
  }
}

function formsOf(form: (name: Name) => AnyFunction): Record<Name, AnyFunction> {
  const names = Object.keys(ON_PATHS) as Name[];
  return Object.fromEntries(names.map((name) => [name, form(name)])) as Record<Name, AnyFunction>;
}

export const callbacksInTurn = { ...formsOf(callbackForm), watchFile };

const promises = formsOf(promiseForm);

export const promisesInTurn = {
  ...promises,
  // In node made by promisify: a function of the old kind.
  opendir: function opendir(...args: unknown[]): unknown {
    return promises.opendir(...args);
  },
};
