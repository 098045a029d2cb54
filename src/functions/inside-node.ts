// glob, and cp as far as node goes through the tree, are node's own JavaScript over functions of node:fs/promises. It
// takes these when it is loaded, which is at the first call: so for that moment they are the engine's. From then on
// what node:fs has of the two is served by the engine, too. Under ioengine/register they are the engine's anyway.

import { nodeFs, originals } from '../node/fs';
import { nodePromises } from '../node/promises';
import { copyFilePromise } from './copy-file';
import { opendirPromise } from './opendir';
import { pathSyscallPromises } from './path-syscalls';
import { readdirPromise } from './readdir';
import { statPromises } from './stat';
import { utimesPromise } from './utimes';

const { chmod, mkdir, readlink, symlink, unlink } = pathSyscallPromises;

const steps = {
  ...statPromises,
  chmod,
  mkdir,
  readlink,
  symlink,
  unlink,
  copyFile: copyFilePromise,
  opendir: opendirPromise,
  readdir: readdirPromise,
  utimes: utimesPromise,
} as unknown as Record<string, unknown>;

/** Calls that load what they need and then find nothing to do. */
const LOAD = {
  cp: () => nodePromises.cp('/', '/', { filter: () => false }),
  glob: () => (nodePromises as unknown as { glob(pattern: unknown): AsyncGenerator }).glob(0).next(),
};

const done = new Set<string>();

/** To be called before one of the two is. */
export function serveInside(name: keyof typeof LOAD): void {
  if (done.has(name)) return;
  done.add(name);
  if (originals() !== undefined) return;
  const live = require('node:fs/promises') as Record<string, unknown>;
  const before = Object.fromEntries(Object.keys(steps).map((step) => [step, live[step]]));
  Object.assign(live, steps);
  try {
    LOAD[name]().catch(() => {});
  } finally {
    Object.assign(live, before);
  }
}

type AnyFunction = (...args: unknown[]) => unknown;

function served(module_: object): AnyFunction {
  return function glob(...args: unknown[]): unknown {
    serveInside('glob');
    return (module_ as Record<string, AnyFunction>).glob!.apply(module_, args);
  };
}

export const glob = served(nodeFs);
export const globPromise = served(nodePromises);
