// Calls on a path that are a system call or a few: plainly well formed ones as the engine takes them, undefined for those
// that node:fs is to judge.

import { tryParseMode, tryParsePath } from '../engine/arguments';
import type { Path, PoolJob } from '../engine/pool-job';
import { type Addon, PathChange } from '../native/addon';

class Change implements PoolJob {
  constructor(
    readonly change: PathChange,
    readonly syscall: string,
    readonly path: Path,
    readonly first = 0,
    readonly second = 0,
  ) {}

  get chained(): boolean {
    return this.change === PathChange.truncate;
  }

  accept(native: Addon, pathFlags: number): number {
    return native.changePath(this.change, this.path, this.first, this.second, pathFlags);
  }

  value(_result: number, _slot: number, _native: Addon): unknown {
    return undefined;
  }
}

/** A call that brings a text. */
class Reading extends Change {
  constructor(
    change: PathChange,
    syscall: string,
    path: Path,
    readonly encoding: string,
  ) {
    super(change, syscall, path);
  }

  override value(_result: number, slot: number, native: Addon): unknown {
    const { encoding } = this;
    if (encoding === UTF8) return native.takeText(slot);
    const bytes = native.takeFound(slot);
    return encoding === 'buffer' ? bytes : bytes.toString(encoding as BufferEncoding);
  }
}

/** mkdir with all parents: brings the first directory that it has made. */
class MakingAll extends Change {
  constructor(path: string, mode: number) {
    super(PathChange.makeDirectories, 'mkdir', path, mode);
  }

  override value(_result: number, slot: number, native: Addon): unknown {
    return native.takeText(slot) || undefined;
  }
}

export const UTF8 = 'utf8';

/** The encoding of names that is asked for: 'buffer' for bytes; undefined for one that node:fs is to judge. */
export function tryParseNameEncoding(options: unknown): string | undefined {
  let encoding = options;
  if (typeof options === 'object' && options !== null) ({ encoding } = options as { encoding?: unknown });
  if (encoding === undefined || encoding === null || encoding === 'utf-8') return UTF8;
  if (typeof encoding !== 'string') return undefined;
  return encoding === 'buffer' || Buffer.isEncoding(encoding) ? encoding.toLowerCase() : undefined;
}

function onPath(change: PathChange, syscall: string, given: unknown, first = 0, second = 0): PoolJob | undefined {
  const path = tryParsePath(given);
  return path === undefined ? undefined : new Change(change, syscall, path, first, second);
}

function reading(change: PathChange, syscall: string, given: unknown, options: unknown): PoolJob | undefined {
  const encoding = typeof options === 'function' ? undefined : tryParseNameEncoding(options);
  const path = encoding === undefined ? undefined : tryParsePath(given);
  return path === undefined ? undefined : new Reading(change, syscall, path, encoding!);
}

export const isId = (id: unknown): id is number =>
  typeof id === 'number' && Number.isInteger(id) && id >= -1 && id < 2 ** 32;

function owning(change: PathChange, syscall: string, path: unknown, user: unknown, group: unknown) {
  return isId(user) && isId(group) ? onPath(change, syscall, path, user, group) : undefined;
}

/** Empty parts but the first, `.` and `..`: the result would name them. */
const ODD_PARTS = /^$|\/$|\/\/|(?:^|\/)\.{1,2}(?:\/|$)/;

/** A call on two paths. */
class TwoPaths implements PoolJob {
  constructor(
    readonly change: PathChange,
    readonly syscall: string,
    readonly path: Path,
    readonly target: Path,
  ) {}

  get chained(): boolean {
    return false;
  }

  accept(native: Addon, pathFlags: number): number {
    return native.changePaths(this.change, this.path, this.target, pathFlags);
  }

  value(): undefined {
    return undefined;
  }
}

function onPaths(change: PathChange, syscall: string, from: unknown, to: unknown): PoolJob | undefined {
  const path = tryParsePath(from);
  const target = path === undefined ? undefined : tryParsePath(to);
  return target === undefined ? undefined : new TwoPaths(change, syscall, path!, target);
}

const LINK_TYPES: readonly unknown[] = [undefined, null, 'file', 'dir', 'junction'];

const DIRECTORY_MODE = 0o777;

/** `{ recursive, mode }`, or the mode alone; undefined for what node:fs is to judge. */
function tryParseMkdirOptions(options: unknown): { recursive: boolean; mode: number } | undefined {
  const given = typeof options === 'object' && options !== null ? options : { mode: options };
  const { recursive = false, mode } = given as Record<string, unknown>;
  const plain = mode === null ? undefined : tryParseMode(mode, DIRECTORY_MODE);
  return plain === undefined || typeof recursive !== 'boolean' ? undefined : { recursive, mode: plain };
}

export const plainChanges = {
  mkdir(given: unknown, options: unknown): PoolJob | undefined {
    const plain = tryParseMkdirOptions(options);
    if (plain === undefined) return undefined;
    if (!plain.recursive) return onPath(PathChange.makeDirectory, 'mkdir', given, plain.mode);
    const path = tryParsePath(given);
    return typeof path === 'string' && !ODD_PARTS.test(path) ? new MakingAll(path, plain.mode) : undefined;
  },

  // Its options are of the past, and each version of Node has another opinion of them.
  rmdir: (path: unknown, options: unknown) =>
    options === undefined ? onPath(PathChange.removeDirectory, 'rmdir', path) : undefined,

  unlink: (path: unknown) => onPath(PathChange.unlink, 'unlink', path),
  rename: (from: unknown, to: unknown) => onPaths(PathChange.rename, 'rename', from, to),
  link: (from: unknown, to: unknown) => onPaths(PathChange.link, 'link', from, to),
  symlink: (text: unknown, path: unknown, type: unknown) =>
    LINK_TYPES.includes(type) ? onPaths(PathChange.symbolicLink, 'symlink', text, path) : undefined,

  truncate(path: unknown, length: unknown): PoolJob | undefined {
    if (length !== undefined && !Number.isSafeInteger(length)) return undefined;
    // The one error that the engine words itself is that of the open.
    return onPath(PathChange.truncate, 'open', path, Math.max(0, (length as number | undefined) ?? 0));
  },

  chmod(path: unknown, mode: unknown): PoolJob | undefined {
    const plain = mode === undefined || mode === null ? undefined : tryParseMode(mode);
    return plain === undefined ? undefined : onPath(PathChange.changeMode, 'chmod', path, plain);
  },

  chown: (path: unknown, user: unknown, group: unknown) => owning(PathChange.changeOwner, 'chown', path, user, group),
  lchown: (path: unknown, user: unknown, group: unknown) =>
    owning(PathChange.changeLinkOwner, 'lchown', path, user, group),
  readlink: (path: unknown, options: unknown) => reading(PathChange.readLink, 'readlink', path, options),
  realpath: (path: unknown, options: unknown) => reading(PathChange.realPath, 'realpath', path, options),
};
