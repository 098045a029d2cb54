// readdir and rm as one request each: plainly well-formed calls as the engine takes them, undefined for those that node:fs is to
// judge.

import { isOptions, tryParsePath } from '../engine/arguments';
import type { Path, PoolJob } from '../engine/pool-job';
import type { Addon } from '../native/addon';
import { canMakeDirents, makeDirents } from '../node/dirents';
import { WALKS_FROM_JAVASCRIPT } from '../node/fs';
import { tryParseNameEncoding, UTF8 } from './path-syscalls';
import { treeListing } from './readdir-recursive';

const SLASH = 0x2f;

type Name = string | Buffer;

class Listing implements PoolJob {
  constructor(
    readonly path: Path,
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
    const { encoding, path } = this;
    const names: Name[] = encoding === UTF8 ? native.takeText(slot).split('/') : pieces(native.takeFound(slot));
    // Behind the last slash: one byte for each type.
    const types = names.pop()!;
    if (encoding !== UTF8 && encoding !== 'buffer') {
      for (let i = 0; i < names.length; i++) names[i] = (names[i] as Buffer).toString(encoding as BufferEncoding);
    }
    return this.withTypes ? makeDirents(names, types, path) : names;
  }
}

function pieces(bytes: Buffer): Buffer[] {
  const found: Buffer[] = [];
  let start = 0;
  for (let end = bytes.indexOf(SLASH); end >= 0; end = bytes.indexOf(SLASH, start)) {
    found.push(Buffer.from(bytes.subarray(start, end)));
    start = end + 1;
  }
  found.push(bytes.subarray(start));
  return found;
}

/** What readdir is asked for; undefined for what node:fs is to judge. */
function listingOptions(options: unknown): { encoding: string; recursive: boolean; withTypes: boolean } | undefined {
  const encoding = typeof options === 'function' ? undefined : tryParseNameEncoding(options);
  if (encoding === undefined) return undefined;
  const given = typeof options === 'object' && options !== null ? (options as Record<string, unknown>) : {};
  const { recursive = false, withFileTypes } = given;
  if (typeof recursive !== 'boolean' || (withFileTypes && !canMakeDirents())) return undefined;
  return { encoding, recursive, withTypes: Boolean(withFileTypes) };
}

/** readdir of one directory. */
export function tryParseListing(given: unknown, options: unknown): PoolJob | undefined {
  const plain = listingOptions(options);
  const path = plain === undefined || plain.recursive ? undefined : tryParsePath(given);
  return path === undefined ? undefined : new Listing(path, plain!.encoding, plain!.withTypes);
}

/** Also of a whole tree. `again`: node's readdir with a promise. */
export function tryParseReaddir(given: unknown, options: unknown, again: () => unknown): PoolJob | undefined {
  const plain = listingOptions(options);
  if (!plain?.recursive) return tryParseListing(given, options);
  return plain.encoding === UTF8 && WALKS_FROM_JAVASCRIPT
    ? treeListing(tryParsePath(given), plain.withTypes, again)
    : undefined;
}

class Removal implements PoolJob {
  constructor(
    readonly path: Path,
    readonly recursive: boolean,
    readonly force: boolean,
    readonly again: () => unknown,
  ) {}

  get syscall(): string {
    return 'rm';
  }

  get chained(): boolean {
    return true;
  }

  accept(native: Addon, pathFlags: number): number {
    return native.removeTree(this.path, this.recursive ? 1 : 0, this.force ? 1 : 0, pathFlags);
  }

  value(): undefined {
    return undefined;
  }
}

const isCount = (value: unknown): boolean =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 31;

const RM_OPTIONS: Record<string, (value: unknown) => boolean> = {
  recursive: (value) => typeof value === 'boolean',
  force: (value) => typeof value === 'boolean',
  maxRetries: isCount,
  retryDelay: isCount,
};

/** `again`: node's rm with a promise, which goes on with what is left, tries again as often as is asked, and words errors. */
export function tryParseRm(given: unknown, options: unknown, again: () => unknown): PoolJob | undefined {
  if (options !== undefined && !isOptions(options)) return undefined;
  const asked = (options ?? {}) as Record<string, unknown>;
  for (const key in asked) if (!RM_OPTIONS[key]?.(asked[key])) return undefined;
  const path = tryParsePath(given);
  if (path === undefined) return undefined;
  return new Removal(path, asked.recursive === true, asked.force === true, again);
}
