// cp as one pool job, with a callback and as a promise: plainly well-formed calls as the engine takes them, undefined
// for those that node:fs is to judge.

import { resolve } from 'node:path';
import { isOptions, tryParsePath } from '../engine/arguments';
import type { Callback } from '../engine/callbacks';
import { callFallback, kept, keptArguments, parsedOrUndefined } from '../engine/fallback';
import { type PoolJob, startWithCallback, startWithPromise } from '../engine/pool-job';
import { countDelegated } from '../engine/stats';
import {
  type Addon,
  COPY_NEW_FOLDERS,
  COPY_ONLY_FOLDERS,
  COPY_RECURSIVE,
  COPY_VERBATIM_LINKS,
  type DirectoryMode,
} from '../native/addon';
import { WALKS_FROM_JAVASCRIPT } from '../node/fs';
import { nodePromises } from '../node/promises';
import { serveInside } from './inside-node';
import { nodePromiseFunctions } from './pool-job-forms';
import { goesBack } from './readdir-recursive';

class CopyJob implements PoolJob {
  constructor(
    readonly path: string,
    readonly target: string,
    readonly options: number,
    readonly fallback: () => unknown,
  ) {}

  get syscall(): string {
    return 'cp';
  }

  get chained(): boolean {
    return true;
  }

  accept(native: Addon, pathFlags: number): number {
    return native.copyTree(this.path, this.target, this.options, pathFlags);
  }

  value(): undefined {
    return undefined;
  }

  /** The engine stopped at what node is to meet. Node leaves the modes of directories that we have made as they are. */
  async resume(slot: number, native: Addon): Promise<unknown> {
    const modes = native.takeModes(slot);
    countDelegated();
    try {
      await this.fallback();
    } catch (error) {
      await setModes(modes.filter(({ complete }) => complete));
      throw error;
    }
    return setModes(modes);
  }
}

/** A directory that is gone by now needs none. */
async function setModes(modes: readonly DirectoryMode[]): Promise<undefined> {
  for (const { path, mode } of modes) await nodePromises.chmod(path, mode).catch(() => {});
  return undefined;
}

const isBoolean = (value: unknown): boolean => typeof value === 'boolean';
const isOff = (value: unknown): boolean => value === false;

/** With others node is to go through the tree. */
const OPTIONS: Record<string, (value: unknown) => boolean> = {
  recursive: isBoolean,
  verbatimSymlinks: isBoolean,
  errorOnExist: isBoolean,
  force: (value) => value === true,
  dereference: isOff,
  preserveTimestamps: isOff,
  filter: (value) => value === undefined,
  mode: (value) => value === undefined || value === 0,
};

function tryParseOptions(value: unknown): number | undefined {
  if (value !== undefined && !isOptions(value)) return undefined;
  const options: Record<string, unknown> = { ...value };
  for (const name in options) if (!OPTIONS[name]?.(options[name])) return undefined;
  return (options.recursive ? COPY_RECURSIVE : 0) | (options.verbatimSymlinks ? COPY_VERBATIM_LINKS : 0);
}

/** A path whose parts mean what they say. */
function tryParseName(value: unknown): string | undefined {
  const path = tryParsePath(value);
  return typeof path === 'string' && path !== '' && !goesBack(path) ? path : undefined;
}

const HABITS = WALKS_FROM_JAVASCRIPT ? 0 : COPY_NEW_FOLDERS;

/** Only a directory may stand there. */
const ENDS_WITH_SLASH = /\/\.?$/;

/** `fallback`: node's cp with a promise. */
function tryParseCp(from: unknown, to: unknown, value: unknown, fallback: () => unknown): PoolJob | undefined {
  const source = tryParseName(from);
  const target = tryParseName(to);
  const options = tryParseOptions(value);
  if (source === undefined || target === undefined || options === undefined) return undefined;
  const path = resolve(source);
  const into = resolve(target);
  if (`${into}/`.startsWith(`${path}/`) || path === '/') return undefined;
  const onlyFolders = ENDS_WITH_SLASH.test(source) || ENDS_WITH_SLASH.test(target);
  return new CopyJob(path, into, options | HABITS | (onlyFolders ? COPY_ONLY_FOLDERS : 0), fallback);
}

function nodeCp(from: unknown, to: unknown, options: unknown): unknown {
  serveInside('cp');
  return nodePromiseFunctions.cp!(from, to, options);
}

/** fs.promises.cp. No constructor, as an async function is none. */
export const { cpPromise } = {
  cpPromise(from: unknown, to: unknown, options: unknown): unknown {
    const [path, target, later] = [from, to, options].map(kept);
    const fallback = (): unknown => nodeCp(path, target, later);
    const job = parsedOrUndefined(() => tryParseCp(from, to, options, fallback));
    return startWithPromise(job, fallback, () => nodeCp(from, to, options));
  },
};

/** (from, to, callback) or (from, to, options, callback). */
export function cp(from: unknown, to: unknown, third: unknown, last: unknown): void {
  // biome-ignore lint/complexity/noArguments: the number of arguments is part of the call
  const args = arguments;
  const [callback, options] = typeof third === 'function' ? [third, undefined] : [last, third];
  const later = keptArguments(args);
  const fallback = (those: ArrayLike<unknown>): void => {
    serveInside('cp');
    callFallback('cp', those);
  };
  const servedByPromise = (): unknown => nodeCp(later[0], later[1], options === undefined ? undefined : later[2]);
  const job = typeof callback === 'function' ? tryParseCp(from, to, options, servedByPromise) : undefined;
  // As node calls it: with an error, or with null and undefined.
  const done = (error: unknown): unknown =>
    error ? (callback as Callback)(error) : (callback as Callback)(null, undefined);
  if (!startWithCallback(job, done, () => fallback(later))) fallback(args);
}
