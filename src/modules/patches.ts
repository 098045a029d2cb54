// Functions that call others of the module. Node's writeFileSync calls fs.openSync, fs.writeSync and fs.closeSync, as
// they are when it is called: a program that puts functions of its own there (a mock, a counter) expects them to be
// called. On ioengine/fs the callers are node's, and look at node:fs; so they are shown the program's functions for as
// long as the call lasts. Nothing is done while nothing is patched.

import { dressed } from './build';

type AnyFunction = (...args: never[]) => unknown;
type Functions = Record<string, AnyFunction>;
type Chains = typeof import('./patched-callers');

/** Found by calling each of Node 20, 24 and 26 with every other function replaced. */
const SYNC_CALLEES: Record<string, readonly string[]> = {
  readFileSync: ['openSync', 'readSync', 'closeSync'],
  writeFileSync: ['openSync', 'writeSync', 'fsyncSync', 'closeSync'],
  appendFileSync: ['writeFileSync', 'openSync', 'writeSync', 'fsyncSync', 'closeSync'],
  truncateSync: ['openSync', 'ftruncateSync', 'closeSync'],
  rmSync: ['lstatSync', 'rmdirSync'],
  rmdirSync: ['lstatSync', 'rmdirSync'],
};

const ASYNC_CALLEES = {
  writeFile: ['open', 'write', 'fsync', 'close'],
  appendFile: ['writeFile', 'open', 'write', 'fsync', 'close'],
  realpath: ['lstat', 'stat', 'readlink'],
} as const;

/** The functions of `names` that are no longer what they were. */
type Patched = (names: readonly string[]) => string[];

/**
 * A call with the program's functions in node:fs. One of them may call node:fs itself, and is to find node's function
 * there: so while it runs they are taken out again.
 */
function callWith(module_: Functions, names: readonly string[], call: () => unknown): unknown {
  const live = require('node:fs') as unknown as Functions;
  const own = Object.fromEntries(names.map((name) => [name, live[name]!]));
  const takeOut = (): void => void Object.assign(live, own);
  const shown = Object.fromEntries(names.map((name) => [name, shownIn(name)]));
  const putIn = (): void => void Object.assign(live, shown);
  function shownIn(name: string): AnyFunction {
    return function (this: unknown, ...args: never[]): unknown {
      takeOut();
      try {
        return module_[name]!.apply(this === live ? module_ : this, args);
      } finally {
        putIn();
      }
    };
  }
  putIn();
  try {
    return call();
  } finally {
    takeOut();
  }
}

function syncCaller(module_: Functions, name: string, patched: Patched): AnyFunction {
  const fallback = module_[name]!;
  const callees = SYNC_CALLEES[name]!;
  return function (this: unknown): unknown {
    // biome-ignore lint/complexity/noArguments: no array is made where nothing is patched
    const args = arguments as never;
    const names = patched(callees);
    if (names.length === 0) return fallback.apply(this, args);
    return callWith(module_, names, () => fallback.apply(this, args));
  };
}

function asyncCaller(module_: Functions, name: keyof typeof ASYNC_CALLEES, patched: Patched): AnyFunction {
  const fallback = module_[name]!;
  const callees = ASYNC_CALLEES[name];
  return function (this: unknown): unknown {
    // biome-ignore lint/complexity/noArguments: no array is made where nothing is patched
    const args = arguments as never;
    if (patched(callees).length === 0) return fallback.apply(this, args);
    return (require('./patched-callers') as Chains)[name](module_ as never, fallback, args);
  };
}

const NONE: string[] = [];

/** Makes the callers among the functions of `module_` see the program's patches of the others. */
export function heedPatches(module_: object): void {
  const functions = module_ as Functions;
  let unpatched: Functions = {};
  const patched: Patched = (names) => {
    for (const name of names) {
      if (functions[name] !== unpatched[name]) return names.filter((other) => functions[other] !== unpatched[other]);
    }
    return NONE;
  };
  for (const name of Object.keys(SYNC_CALLEES)) {
    functions[name] = dressed(syncCaller(functions, name, patched), functions[name]) as AnyFunction;
  }
  for (const name of Object.keys(ASYNC_CALLEES) as (keyof typeof ASYNC_CALLEES)[]) {
    functions[name] = dressed(asyncCaller(functions, name, patched), functions[name]) as AnyFunction;
  }
  const callees = [...Object.values(SYNC_CALLEES), ...Object.values(ASYNC_CALLEES)].flat();
  unpatched = Object.fromEntries(callees.map((name) => [name, functions[name]!]));
}
