// Functions on paths that are a system call or a few, with callbacks and as promises: mkdir, rmdir, unlink, rename,
// link, symlink, truncate, chmod, chown, lchown, readlink, realpath and mkdtemp. Plainly well-formed calls as the
// engine takes them, undefined for those that node:fs is to judge.

import { isId, tryParseMode, tryParseNameEncoding, tryParsePath, UTF8 } from '../engine/arguments';
import type { Path, PoolJob } from '../engine/pool-job';
import { type Addon, PathChange } from '../native/addon';
import { type AnyFunction, callbackForm, type Form, promiseForm, type TryParseJob } from './pool-job-forms';

class PathJob implements PoolJob {
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
class TextJob extends PathJob {
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
class MkdirAllJob extends PathJob {
  constructor(path: string, mode: number) {
    super(PathChange.makeDirectories, 'mkdir', path, mode);
  }

  override value(_result: number, slot: number, native: Addon): unknown {
    return native.takeText(slot) || undefined;
  }
}

/** mkdtemp: the path is a template, and six characters at its end are still to be chosen. */
class TemporaryJob extends TextJob {
  constructor(template: Path, encoding: string) {
    super(PathChange.makeTemporary, 'mkdtemp', template, encoding);
  }

  /** The last one that was tried. */
  shown(slot: number, native: Addon): string {
    return native.takeText(slot);
  }
}

const TEMPLATE = 'XXXXXX';
const CAPITAL_X = TEMPLATE.charCodeAt(0);

function withTemplate(prefix: Path): Path {
  return typeof prefix === 'string' ? prefix + TEMPLATE : Buffer.concat([prefix, Buffer.from(TEMPLATE)]);
}

/** Node warns of such a prefix. */
const endsWithX = (prefix: Path): boolean =>
  typeof prefix === 'string' ? prefix.endsWith('X') : prefix.at(-1) === CAPITAL_X;

function onPath(change: PathChange, syscall: string, value: unknown, first = 0, second = 0): PoolJob | undefined {
  const path = tryParsePath(value);
  return path === undefined ? undefined : new PathJob(change, syscall, path, first, second);
}

function reading(change: PathChange, syscall: string, value: unknown, options: unknown): PoolJob | undefined {
  const encoding = typeof options === 'function' ? undefined : tryParseNameEncoding(options);
  const path = encoding === undefined ? undefined : tryParsePath(value);
  return path === undefined ? undefined : new TextJob(change, syscall, path, encoding!);
}

function owning(change: PathChange, syscall: string, path: unknown, user: unknown, group: unknown) {
  return isId(user) && isId(group) ? onPath(change, syscall, path, user, group) : undefined;
}

/** Empty parts but the first, `.` and `..`: the result would name them. */
const ODD_PARTS = /^$|\/$|\/\/|(?:^|\/)\.{1,2}(?:\/|$)/;

/** A call on two paths. */
class TwoPathJob implements PoolJob {
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
  return target === undefined ? undefined : new TwoPathJob(change, syscall, path!, target);
}

const LINK_TYPES: readonly unknown[] = [undefined, null, 'file', 'dir', 'junction'];

const DIRECTORY_MODE = 0o777;

/** `{ recursive, mode }`, or the mode alone; undefined for what node:fs is to judge. */
function tryParseMkdirOptions(options: unknown): { recursive: boolean; mode: number } | undefined {
  const values = typeof options === 'object' && options !== null ? options : { mode: options };
  const { recursive = false, mode } = values as Record<string, unknown>;
  const parsed = mode === null ? undefined : tryParseMode(mode, DIRECTORY_MODE);
  return parsed === undefined || typeof recursive !== 'boolean' ? undefined : { recursive, mode: parsed };
}

const TRY_PARSE = {
  mkdir(directory: unknown, options: unknown): PoolJob | undefined {
    const parsed = tryParseMkdirOptions(options);
    if (parsed === undefined) return undefined;
    if (!parsed.recursive) return onPath(PathChange.makeDirectory, 'mkdir', directory, parsed.mode);
    const path = tryParsePath(directory);
    return typeof path === 'string' && !ODD_PARTS.test(path) ? new MkdirAllJob(path, parsed.mode) : undefined;
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
    // The one error that the engine makes itself is that of the open.
    return onPath(PathChange.truncate, 'open', path, Math.max(0, (length as number | undefined) ?? 0));
  },

  chmod(path: unknown, mode: unknown): PoolJob | undefined {
    const parsed = mode === undefined || mode === null ? undefined : tryParseMode(mode);
    return parsed === undefined ? undefined : onPath(PathChange.changeMode, 'chmod', path, parsed);
  },

  chown: (path: unknown, user: unknown, group: unknown) => owning(PathChange.changeOwner, 'chown', path, user, group),
  lchown: (path: unknown, user: unknown, group: unknown) =>
    owning(PathChange.changeLinkOwner, 'lchown', path, user, group),
  readlink: (path: unknown, options: unknown) => reading(PathChange.readLink, 'readlink', path, options),
  realpath: (path: unknown, options: unknown) => reading(PathChange.realPath, 'realpath', path, options),

  mkdtemp(value: unknown, options: unknown): PoolJob | undefined {
    const encoding = typeof options === 'function' ? undefined : tryParseNameEncoding(options);
    const prefix = encoding === undefined ? undefined : tryParsePath(value);
    // Node 20 refuses an empty one.
    if (prefix === undefined || prefix.length === 0 || endsWithX(prefix)) return undefined;
    return new TemporaryJob(withTemplate(prefix), encoding!);
  },
} satisfies Record<string, TryParseJob>;

type Name = keyof typeof TRY_PARSE;

const CALLBACK_FORMS = {
  truncate: { required: 1, optional: true },
  mkdir: { required: 1, optional: true },
  rmdir: { required: 1, optional: true },
  readlink: { required: 1, optional: true },
  mkdtemp: { required: 1, optional: true },
  unlink: { required: 1 },
  rename: { required: 2 },
  link: { required: 2 },
  // With a type node's, which calls back with another `this` then since Node 24.
  symlink: { required: 2 },
  chmod: { required: 2 },
  chown: { required: 3 },
  lchown: { required: 3 },
} satisfies Partial<Record<Name, Form>>;

function functionsOf<Of extends Name>(table: Record<Of, unknown>, form: (name: Of) => AnyFunction) {
  const names = Object.keys(table) as Of[];
  return Object.fromEntries(names.map((name) => [name, form(name)])) as Record<Of, AnyFunction>;
}

export const pathSyscallCallbacks = functionsOf(CALLBACK_FORMS, (name) =>
  callbackForm(name, TRY_PARSE[name], CALLBACK_FORMS[name]),
);

/** fs.realpath.native, which fs.promises.realpath is the promise of. */
export const realpathNative = callbackForm('realpath', TRY_PARSE.realpath, { required: 1, optional: true });

export const pathSyscallPromises = functionsOf(TRY_PARSE, (name) => promiseForm(name, TRY_PARSE[name]));
