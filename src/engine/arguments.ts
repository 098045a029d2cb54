// Cheap checks for plainly well-formed arguments. Whatever does not pass goes to node:fs, which raises its own exact
// error or serves the odd form: so nothing here reports anything.

import { constants } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { types } from 'node:util';
import { READ_VECTORS_MAX } from '../native/addon';

const FLAGS: Record<string, number> = {
  r: constants.O_RDONLY,
  rs: constants.O_RDONLY | constants.O_SYNC,
  sr: constants.O_RDONLY | constants.O_SYNC,
  'r+': constants.O_RDWR,
  'rs+': constants.O_RDWR | constants.O_SYNC,
  'sr+': constants.O_RDWR | constants.O_SYNC,
  w: constants.O_TRUNC | constants.O_CREAT | constants.O_WRONLY,
  wx: constants.O_TRUNC | constants.O_CREAT | constants.O_WRONLY | constants.O_EXCL,
  xw: constants.O_TRUNC | constants.O_CREAT | constants.O_WRONLY | constants.O_EXCL,
  'w+': constants.O_TRUNC | constants.O_CREAT | constants.O_RDWR,
  'wx+': constants.O_TRUNC | constants.O_CREAT | constants.O_RDWR | constants.O_EXCL,
  'xw+': constants.O_TRUNC | constants.O_CREAT | constants.O_RDWR | constants.O_EXCL,
  a: constants.O_APPEND | constants.O_CREAT | constants.O_WRONLY,
  ax: constants.O_APPEND | constants.O_CREAT | constants.O_WRONLY | constants.O_EXCL,
  xa: constants.O_APPEND | constants.O_CREAT | constants.O_WRONLY | constants.O_EXCL,
  as: constants.O_APPEND | constants.O_CREAT | constants.O_WRONLY | constants.O_SYNC,
  sa: constants.O_APPEND | constants.O_CREAT | constants.O_WRONLY | constants.O_SYNC,
  'a+': constants.O_APPEND | constants.O_CREAT | constants.O_RDWR,
  'ax+': constants.O_APPEND | constants.O_CREAT | constants.O_RDWR | constants.O_EXCL,
  'xa+': constants.O_APPEND | constants.O_CREAT | constants.O_RDWR | constants.O_EXCL,
  'as+': constants.O_APPEND | constants.O_CREAT | constants.O_RDWR | constants.O_SYNC,
  'sa+': constants.O_APPEND | constants.O_CREAT | constants.O_RDWR | constants.O_SYNC,
};

/** open(2) flags of a flag string or number; undefined for anything else. */
export function tryParseFlags(flags: unknown, fallback: number = constants.O_RDONLY): number | undefined {
  if (flags === undefined || flags === null) return fallback;
  if (typeof flags === 'number') return isInt32(flags) && flags >= 0 ? flags : undefined;
  if (typeof flags === 'string' && Object.hasOwn(FLAGS, flags)) return FLAGS[flags];
  return undefined;
}

/** Permission bits of a number or octal string; undefined for anything else. */
export function tryParseMode(mode: unknown, fallback = 0o666): number | undefined {
  if (mode === undefined || mode === null) return fallback;
  if (typeof mode === 'string' && /^[0-7]{1,6}$/.test(mode)) return Number.parseInt(mode, 8);
  return typeof mode === 'number' && isInt32(mode) && mode >= 0 ? mode : undefined;
}

/**
 * The path as the kernel takes it; undefined for anything that is not a string, Buffer or file URL without NUL. Bytes
 * are copied: the program may use its buffer again before an error names the path.
 */
export function tryParsePath(path: unknown): string | Uint8Array | undefined {
  if (typeof path === 'string') return path.includes('\0') ? undefined : path;
  if (types.isUint8Array(path)) return path.includes(0) || isResizable(path) ? undefined : new Uint8Array(path);
  if (!(path instanceof URL)) return undefined;
  try {
    return tryParsePath(fileURLToPath(path));
  } catch {
    return undefined;
  }
}

/** Node 20 to 24 take such a path for an empty one. */
const isResizable = ({ buffer }: Uint8Array): boolean => (buffer as { resizable?: boolean }).resizable === true;

/** How node shows the path in an error: as the UTF-8 that the kernel got, so a lone surrogate is lost. */
export function shownPath(path: string | Uint8Array): string {
  return Buffer.from(path as Uint8Array).toString();
}

function isInt32(value: unknown): value is number {
  return typeof value === 'number' && (value | 0) === value;
}

/**
 * From here on node counts descriptors of its virtual files (--experimental-vfs of Node 26); the kernel's are smaller.
 */
const VIRTUAL_DESCRIPTORS = 2 ** 30;

export function isDescriptor(value: unknown): value is number {
  return isInt32(value) && value >= 0 && value < VIRTUAL_DESCRIPTORS;
}

/**
 * A view. Its memory may be resizable or be given away: what is read then is staged, fails with EFAULT, or finds its
 * pages gone, or another buffer there (csrc/scheduler/staging.h). Asking `buffer.resizable` here would cost as much as
 * the rest of a read.
 */
export function isPlainView(value: unknown): value is NodeJS.ArrayBufferView {
  return ArrayBuffer.isView(value);
}

/** A part of a view that is one read or write of at least one byte. */
export function isPart(view: NodeJS.ArrayBufferView, offset: unknown, length: unknown): boolean {
  return (
    Number.isInteger(offset) &&
    isInt32(length) &&
    (offset as number) >= 0 &&
    length > 0 &&
    (offset as number) + length <= view.byteLength &&
    view.byteLength <= 0xffffffff
  );
}

/** The bytes of a view behind `offset`; NaN, which is no length, where that is no number: node:fs is to judge it. */
export function restOf(view: NodeJS.ArrayBufferView, offset: unknown): number {
  return typeof offset === 'number' || offset === null ? view.byteLength - (offset ?? 0) : Number.NaN;
}

/**
 * Views that make one vectored operation: at least one byte, and for a read no more of them than the kernel takes at
 * once.
 */
export function arePlainViews(views: unknown, name: 'readv' | 'writev'): views is NodeJS.ArrayBufferView[] {
  if (!Array.isArray(views) || views.length === 0) return false;
  if (name === 'readv' && views.length > READ_VECTORS_MAX) return false;
  let bytes = 0;
  for (const view of views) {
    if (!isPlainView(view)) return false;
    bytes += view.byteLength;
  }
  return bytes > 0;
}

/** An options object, in the place of a buffer or after it. */
export function isOptions(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The bytes of a text to write; undefined for an encoding that node:fs is to judge, an odd number of hex digits, and
 * for no bytes at all.
 */
export function tryParseText(text: string, encoding: unknown): Buffer | undefined {
  const name = encoding ?? 'utf8';
  if (typeof name !== 'string' || !Buffer.isEncoding(name)) return undefined;
  if (text.length % 2 !== 0 && name.toLowerCase() === 'hex') return undefined;
  const bytes = Buffer.from(text, name);
  return bytes.byteLength === 0 ? undefined : bytes;
}

/** The file position. */
export const CURRENT = -1;

/**
 * A position as the engine takes it: a safe integer, or CURRENT for null, undefined and -1. Undefined for others.
 */
export function tryParsePosition(position: unknown): number | undefined {
  if (position === null || position === undefined || position === -1) return CURRENT;
  if (typeof position === 'number') return Number.isSafeInteger(position) && position >= 0 ? position : undefined;
  if (typeof position === 'bigint') {
    if (position === -1n) return CURRENT;
    return position >= 0n && position <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(position) : undefined;
  }
  return undefined;
}

/** The same for writes and vectored operations: there everything that is no number means the file position. */
export function tryParseWritePosition(position: unknown): number | undefined {
  return typeof position === 'number' ? tryParsePosition(position) : CURRENT;
}

/** Of a user or a group. */
export const isId = (id: unknown): id is number =>
  typeof id === 'number' && Number.isInteger(id) && id >= -1 && id < 2 ** 32;

// Node's clock, whatever a program puts in its place.
const { now } = Date;

/** A time in seconds, as utimes takes it; undefined for what node:fs is to judge. */
export function tryParseTime(value: unknown): number | undefined {
  if (types.isDate(value)) return within(Date.prototype.getTime.call(value) / 1000);
  // biome-ignore lint/suspicious/noDoubleEquals: the text of a number, as node tells it
  if (typeof value === 'string') return +value == (value as never) ? within(+value) : undefined;
  if (typeof value !== 'number' || !Number.isFinite(value)) return undefined;
  return within(value < 0 ? now() / 1000 : value);
}

const within = (seconds: number): number | undefined =>
  Math.abs(seconds) <= Number.MAX_SAFE_INTEGER ? seconds : undefined;

export const UTF8 = 'utf8';

/** The encoding of names in `options`: 'buffer' for bytes; undefined for one that node:fs is to judge. */
export function tryParseNameEncoding(options: unknown): string | undefined {
  let encoding = options;
  if (typeof options === 'object' && options !== null) {
    let signal: unknown;
    ({ encoding, signal } = options as Record<string, unknown>);
    // These functions know no signal, but node looks whether it is one.
    if (signal !== undefined) return undefined;
  }
  if (encoding === undefined || encoding === null || encoding === 'utf-8') return UTF8;
  if (typeof encoding !== 'string') return undefined;
  return encoding === 'buffer' || Buffer.isEncoding(encoding) ? encoding.toLowerCase() : undefined;
}
