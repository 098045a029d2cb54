// Functions that stay node's and take their turn among the engine's calls: one waits behind an earlier call on its path or
// its file, and later calls wait behind it (csrc/scheduler/host_calls.cc). By name, for the modules that are put together
// in fs.ts and promises.ts. Why each is node's: surface.ts.

import { isDescriptor, isOptions, tryParseMode, tryParsePath } from '../engine/arguments';
import { countDelegated, pathsAreGuarded, startedEngine, UNSUPPORTED } from '../engine/engine';
import { type Callback, delegate } from '../engine/fallback';
import { announceChange } from '../engine/pool-job';
import { CallbackRequest, callBackTo, settleWith } from '../engine/requests';
import { type Addon, FLAG_CALLBACK, FLAG_TRUSTED, HostCall, PATH_CALLBACK } from '../native/addon';
import { nodeFs } from '../node/fs';
import { nodePromises } from '../node/promises';
import { isId, tryParseNameEncoding } from './path-syscalls';

type AnyFunction = (...args: unknown[]) => unknown;

/** What of its arguments a call has behind the paths or the descriptor, and in front of the callback. */
type ArePlain = (rest: readonly unknown[]) => boolean;

const isTime = (value: unknown): boolean =>
  typeof value === 'number' ? Number.isFinite(value) : value instanceof Date && !Number.isNaN(value.getTime());
const areTimes: ArePlain = (rest) => rest.length === 2 && rest.every(isTime);
const isMode: ArePlain = (rest) => rest.length === 1 && rest[0] !== null && tryParseMode(rest[0]) !== undefined;
const areIds: ArePlain = (rest) => rest.length === 2 && rest.every(isId);

/** At most one argument, an object with options of these names, or what `others` takes. */
function optional(names: Record<string, string>, others: (value: unknown) => boolean = () => false): ArePlain {
  return (rest) => {
    const [options] = rest;
    if (rest.length > 1) return false;
    if (options === undefined || others(options)) return true;
    if (!isOptions(options)) return false;
    return Object.entries(options).every(([name, value]) => typeof value === names[name] && value !== 0);
  };
}

interface OnPath {
  paths: 1 | 2;
  kind: HostCall;
  arePlain: ArePlain;
}

const isEncoding = (value: unknown): boolean => typeof value === 'string' && tryParseNameEncoding(value) !== undefined;
const isCopyMode = (value: unknown): boolean =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) < 8;

const ON_PATHS = {
  // libuv says how a file is copied, and how times are rounded.
  copyFile: { paths: 2, kind: HostCall.changes, arePlain: optional({}, isCopyMode) },
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

const ON_DESCRIPTORS = { fchmod: isMode, fchown: areIds, futimes: areTimes } satisfies Record<string, ArePlain>;

type PathName = keyof typeof ON_PATHS;
type DescriptorName = keyof typeof ON_DESCRIPTORS;

/** The engine where it has calls that others may have to wait for. */
const keeper = (): Addon | undefined => (pathsAreGuarded() ? undefined : startedEngine());

/** The engine's answer for a call on paths; UNSUPPORTED where node:fs is to judge the arguments. */
function beginOnPaths(
  native: Addon | undefined,
  call: OnPath,
  args: readonly unknown[],
  rest: readonly unknown[],
  pathFlags: number,
) {
  const path = native === undefined || !call.arePlain(rest) ? undefined : tryParsePath(args[0]);
  const target = call.paths === 2 ? tryParsePath(args[1]) : undefined;
  if (path === undefined || (call.paths === 2 && target === undefined)) return UNSUPPORTED;
  return native!.beginHostCall(path, target, call.kind, pathFlags);
}

/** Node's turn has come to serve a call with a callback. */
class CallbackTurn extends CallbackRequest {
  constructor(readonly run: (turn: number) => void) {
    super(undefined);
  }

  finish(turn: number): void {
    this.run(turn);
  }
}

/** Calls node's function when `answer` says so; the callback ends its turn. */
function callInTurn(native: Addon, answer: number, name: string, args: unknown[], at: number): void {
  const run = (turn: number): void => {
    if (turn <= 0) return void delegate(name, args);
    const callback = args[at] as Callback;
    const ended = function (this: unknown, ...results: unknown[]): unknown {
      native.endHostCall(turn);
      return Reflect.apply(callback, this, results);
    };
    const called = args.slice();
    called[at] = ended;
    try {
      delegate(name, called);
    } catch (error) {
      native.endHostCall(turn);
      throw error;
    }
  };
  if (answer >= 0) run(answer);
  else callBackTo(answer, new CallbackTurn(run));
}

/** In its turn, or at once where node:fs is to judge the arguments. */
function serve(native: Addon | undefined, answer: number, name: string, args: unknown[], at: number): void {
  if (answer !== UNSUPPORTED) {
    callInTurn(native!, answer, name, args, at);
  } else {
    announceChange();
    delegate(name, args);
  }
}

/** Where the callback stands: the first function behind `from` arguments. */
const callbackAt = (args: readonly unknown[], from: number): number =>
  args.findIndex((argument, index) => index >= from && typeof argument === 'function');

function pathCallback(name: PathName): AnyFunction {
  const call: OnPath = ON_PATHS[name];
  return function callbackFunction(...args: unknown[]): void {
    const at = callbackAt(args, call.paths);
    const native = at < 0 ? undefined : keeper();
    const answer = beginOnPaths(native, call, args, args.slice(call.paths, at), PATH_CALLBACK);
    serve(native, answer, name, args, at);
  };
}

function descriptorCallback(name: DescriptorName): AnyFunction {
  const arePlain: ArePlain = ON_DESCRIPTORS[name];
  return function callbackFunction(...args: unknown[]): void {
    const at = callbackAt(args, 1);
    const plain = at > 0 && isDescriptor(args[0]) && arePlain(args.slice(1, at));
    const native = plain ? keeper() : undefined;
    const answer = native === undefined ? UNSUPPORTED : native.beginHostCallOn(args[0] as number, FLAG_CALLBACK);
    serve(native, answer, name, args, at);
  };
}

/** A promise of node's, begun when `answer` says so. Its end is the end of its turn. */
function promiseInTurn(native: Addon, answer: number, call: () => Promise<unknown>): Promise<unknown> {
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
    settleWith(answer, { subject: undefined, callsBack: false, settle: (turn) => resolve(run(turn)) });
  });
}

function pathPromise(name: PathName): AnyFunction {
  const call: OnPath = ON_PATHS[name];
  const { method } = {
    // No constructor, as an async function is none.
    method(...args: unknown[]): unknown {
      const native = keeper();
      const served = (): Promise<unknown> =>
        (nodePromises as unknown as Record<string, AnyFunction>)[name]!(...args) as Promise<unknown>;
      const answer = beginOnPaths(native, call, args, args.slice(call.paths), 0);
      if (answer !== UNSUPPORTED) return promiseInTurn(native!, answer, served);
      announceChange();
      countDelegated();
      return served();
    },
  };
  return method;
}

/** Methods of a FileHandle that are node's: `call` is one of them, on the open descriptor `fd`. */
export function handleCallInTurn(
  native: Addon,
  fd: number,
  rest: readonly unknown[],
  name: DescriptorName,
  call: () => Promise<unknown>,
): Promise<unknown> {
  const plain = fd >= 0 && (ON_DESCRIPTORS[name] as ArePlain)(rest);
  const answer = plain ? native.beginHostCallOn(fd, FLAG_TRUSTED) : UNSUPPORTED;
  if (answer === UNSUPPORTED) {
    announceChange();
    countDelegated();
    return call();
  }
  return promiseInTurn(native, answer, call);
}

/**
 * What a watcher compares with is its first look at the file, which libuv's pool takes: a change that is made behind the call
 * must not come first. Pool jobs of libuv start in order, so that look is over when another one behind it is.
 */
function watchFile(...args: unknown[]): unknown {
  const at = callbackAt(args, 1);
  const path = at < 0 ? undefined : tryParsePath(args[0]);
  const native = path === undefined ? undefined : keeper();
  const turn = native === undefined ? 0 : native.beginHostCall(path!, undefined, HostCall.cannotWait, 0);
  try {
    return delegate('watchFile', args);
  } finally {
    if (turn > 0) nodeFs.stat(path as string, () => native!.endHostCall(turn));
  }
}

const functionsOf = <Name extends string>(table: Record<Name, unknown>, form: (name: Name) => AnyFunction) =>
  Object.fromEntries((Object.keys(table) as Name[]).map((name) => [name, form(name)])) as Record<Name, AnyFunction>;

export const hostCallbacks = {
  ...functionsOf(ON_PATHS, pathCallback),
  ...functionsOf(ON_DESCRIPTORS, descriptorCallback),
  watchFile,
};

const promises = functionsOf(ON_PATHS, pathPromise);

export const hostCallPromises = {
  ...promises,
  // In node made by promisify: a function of the old kind.
  opendir: function opendir(...args: unknown[]): unknown {
    return promises.opendir(...args);
  },
};
