// readdir as one pool job, with a callback and as a promise: plainly well-formed calls as the engine takes them,
// undefined for those that node:fs is to judge. Of all below a directory: readdir-recursive.ts.

import { tryParseNameEncoding, tryParsePath, UTF8 } from '../engine/arguments';
import { kept, viaCallback } from '../engine/fallback';
import { takeListing } from '../engine/listing';
import type { Path, PoolJob } from '../engine/pool-job';
import { type Addon, TREE_FOLLOWS_LINKS, TREE_LEVELS } from '../native/addon';
import { listsAreSimulated } from '../node/binding';
import { canMakeDirents, makeDirents } from '../node/dirents';
import { LISTS_TREES_LATER, nodeFs, WALKS_FROM_JAVASCRIPT } from '../node/fs';
import { callbackForm, promiseForm, type TryParseJob } from './pool-job-forms';
import { treeListingJob } from './readdir-recursive';

class ListingJob implements PoolJob {
  constructor(
    readonly path: Path,
    /** The path that Dirents show: bytes are the program's own. */
    readonly named: unknown,
    readonly encoding: string,
    readonly withTypes: boolean,
  ) {}

  get syscall(): string {
    return 'scandir';
  }

  get chained(): boolean {
    return false;
  }

  accept(native: Addon, pathFlags: number): number {
    return native.readDirectory(this.path, this.withTypes ? 1 : 0, pathFlags);
  }

  value(_result: number, slot: number, native: Addon): unknown {
    const { names, types } = takeListing(native, slot, this.encoding);
    return this.withTypes ? makeDirents(names, types, this.named) : names;
  }
}

interface Options {
  encoding: string;
  recursive: boolean;
  withTypes: boolean;
}

function tryParseOptions(options: unknown): Options | undefined {
  const encoding = typeof options === 'function' ? undefined : tryParseNameEncoding(options);
  if (encoding === undefined || listsAreSimulated()) return undefined;
  const values = typeof options === 'object' && options !== null ? (options as Record<string, unknown>) : {};
  const { recursive = false, withFileTypes } = values;
  if (typeof recursive !== 'boolean' || (withFileTypes && !canMakeDirents())) return undefined;
  return { encoding, recursive, withTypes: Boolean(withFileTypes) };
}

/** Of one directory. */
function tryParseListing(directory: unknown, options: unknown): PoolJob | undefined {
  const parsed = tryParseOptions(options);
  const path = parsed === undefined || parsed.recursive ? undefined : tryParsePath(directory);
  if (path === undefined) return undefined;
  const named = typeof path === 'string' ? path : directory;
  return new ListingJob(path, named, parsed!.encoding, parsed!.withTypes);
}

/** Also of a whole tree, in this order. `fallback`: node's readdir with a promise. */
function tryParseReaddir(
  directory: unknown,
  options: unknown,
  order: number | undefined,
  fallback: () => unknown,
): PoolJob | undefined {
  const parsed = tryParseOptions(options);
  if (!parsed?.recursive) return tryParseListing(directory, options);
  if (order === undefined || parsed.encoding !== UTF8) return undefined;
  return treeListingJob(tryParsePath(directory), parsed.withTypes, order, fallback);
}

// Of trees: that of the callback since it lists them later, in Node 20 it does so before it returns; and that of the
// promise, which is the same since 26.
const BY_LEVELS = TREE_LEVELS | TREE_FOLLOWS_LINKS;
const CALLBACK_ORDER = LISTS_TREES_LATER ? BY_LEVELS : undefined;
const PROMISE_ORDER = WALKS_FROM_JAVASCRIPT ? 0 : BY_LEVELS;

const tryParseCallback: TryParseJob = (directory, options) => {
  const later = kept(options);
  const fallback = (): Promise<unknown> =>
    viaCallback((callback) => nodeFs.readdir(directory as string, later as never, callback as never));
  return tryParseReaddir(directory, options, CALLBACK_ORDER, fallback);
};

const tryParsePromise: TryParseJob = (directory, options, _, fallback) =>
  tryParseReaddir(directory, options, PROMISE_ORDER, fallback);

/** fs.readdir. */
export const readdir = callbackForm('readdir', tryParseCallback, { required: 1, optional: true });
/** fs.promises.readdir. */
export const readdirPromise = promiseForm('readdir', tryParsePromise);
