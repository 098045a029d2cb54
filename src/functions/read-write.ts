// read, write, readv and writev of node:fs, in every form of arguments that is plainly well formed.

import {
  arePlainViews,
  isDescriptor,
  isOptions,
  isPart,
  isPlainView,
  restOf,
  tryParsePosition,
  tryParseText,
  tryParseWritePosition,
} from '../engine/arguments';
import { type Callback, finishTransfer } from '../engine/callbacks';
import { engine } from '../engine/engine';
import { callFallback } from '../engine/fallback';
import { CallbackRequest, callBackTo } from '../engine/requests';
import { type Addon, FLAG_CALLBACK, UNSUPPORTED } from '../native/addon';
import { systemErrorWithoutFrames } from '../node/errors';

const DEFAULT_READ_BYTES = 16384;

/** A read on its way, with what node would need to serve it after all. */
class ReadRequest extends CallbackRequest {
  constructor(
    readonly view: NodeJS.ArrayBufferView,
    readonly callback: Callback,
    readonly fd: number,
    readonly offset: number,
    readonly length: number,
    readonly position: number,
  ) {
    super(view);
  }

  finish(result: number): void {
    const { view, callback } = this;
    if (result >= 0) callback(null, result, view);
    else if (result !== UNSUPPORTED) callback(systemErrorWithoutFrames(result, 'read'), 0, view);
    else callFallback('read', [this.fd, view, this.offset, this.length, this.position, callback]);
  }
}

/** The arguments of one transfer as node takes them apart, not checked yet. */
interface Form {
  view: unknown;
  offset: unknown;
  length: unknown;
  position: unknown;
  callback: unknown;
}

/** (fd, callback), (fd, options, callback), (fd, buffer, callback), (fd, buffer, options, callback) */
function shortReadForm(args: IArguments): Form | undefined {
  const callback = args[args.length - 1];
  let view = args.length > 2 ? args[1] : Buffer.alloc(DEFAULT_READ_BYTES);
  let options: unknown = args.length === 4 ? args[2] : null;
  if (args.length === 3 && !ArrayBuffer.isView(view)) {
    options = view ?? null;
    view = Buffer.alloc(DEFAULT_READ_BYTES);
    if (isOptions(options)) ({ buffer: view = view } = options);
  }
  if (!isPlainView(view) || (options !== null && !isOptions(options))) return undefined;
  const rest = view;
  const { offset = 0, length = restOf(rest, offset), position = null } = options ?? {};
  return { view, offset, length, position, callback };
}

export function read(
  fd: unknown,
  buffer: unknown,
  offset: unknown,
  length: unknown,
  position: unknown,
  callback: unknown,
): void {
  const native = engine();
  // The hot form first: all six arguments, plainly well formed.
  if (
    native !== undefined &&
    typeof callback === 'function' &&
    typeof position === 'number' &&
    position >= 0 &&
    Number.isSafeInteger(position) &&
    isDescriptor(fd) &&
    isPlainView(buffer) &&
    isPart(buffer, offset, length)
  ) {
    const answer = native.read(fd, buffer, offset as number, length as number, position, FLAG_CALLBACK);
    if (answer !== UNSUPPORTED) {
      const request = new ReadRequest(buffer, callback as Callback, fd, offset as number, length as number, position);
      callBackTo(answer, request);
      return;
    }
  }
  // biome-ignore lint/complexity/noArguments: the number of arguments is part of the call
  const args = arguments;
  if (native === undefined || !isDescriptor(fd) || args.length < 2) return void callFallback('read', args);
  if (args.length <= 4) {
    const form = shortReadForm(args);
    if (form === undefined) return void callFallback('read', args);
    ({ view: buffer, offset, length, position, callback } = form);
  }
  offset ??= 0;
  const at = tryParsePosition(position);
  if (at === undefined || typeof callback !== 'function' || !isPlainView(buffer) || !isPart(buffer, offset, length)) {
    return void callFallback('read', args);
  }
  const answer = native.read(fd, buffer, offset as number, length as number, at, FLAG_CALLBACK);
  finishTransfer({ name: 'read', args, syscall: 'read' }, answer, buffer, buffer, callback as Callback);
}

export function write(
  fd: unknown,
  buffer: unknown,
  _offset: unknown,
  _length: unknown,
  _position: unknown,
  _callback: unknown,
): void {
  // biome-ignore lint/complexity/noArguments: the number of arguments is part of the call
  const args = arguments;
  const native = engine();
  const taken = typeof buffer === 'string' ? writeText : writeView;
  if (native === undefined || !isDescriptor(fd) || !taken(native, fd, args)) callFallback('write', args);
}

/** (fd, buffer, offset, length, position, callback), (fd, buffer, options, callback); false for what node has to do. */
function writeView(native: Addon, fd: number, args: IArguments): boolean {
  let [, view, offset, length, position, callback] = args as unknown as unknown[];
  callback = callback || position || length || offset;
  if (!isPlainView(view) || typeof callback !== 'function') return false;
  if (typeof offset === 'object') {
    const options = (offset ?? {}) as Record<string, unknown>;
    ({ offset = 0, length = restOf(view, offset), position = null } = options);
  }
  if (offset === undefined || offset === null || typeof offset === 'function') offset = 0;
  if (typeof length !== 'number') length = restOf(view, offset);
  const at = tryParseWritePosition(position);
  if (at === undefined || !isPart(view, offset, length)) return false;
  const answer = native.write(fd, view, offset as number, length as number, at, FLAG_CALLBACK);
  finishTransfer({ name: 'write', args, syscall: 'write' }, answer, view, view, callback as Callback);
  return true;
}

/** (fd, string, position, encoding, callback); false for what node has to do. */
function writeText(native: Addon, fd: number, args: IArguments): boolean {
  let [, text, position, encoding, callback] = args as unknown as unknown[];
  if (typeof callback !== 'function') {
    if (typeof position === 'function') [position, callback] = [null, position];
    else callback = encoding;
    encoding = 'utf8';
  }
  const bytes = tryParseText(text as string, encoding);
  const at = tryParseWritePosition(position);
  if (bytes === undefined || at === undefined || typeof callback !== 'function') return false;
  const answer = native.write(fd, bytes, 0, bytes.byteLength, at, FLAG_CALLBACK);
  finishTransfer({ name: 'write', args, syscall: 'write' }, answer, bytes, text, callback as Callback);
  return true;
}

function vectored(name: 'readv' | 'writev', syscall: string, args: IArguments): void {
  const [fd, views, position] = args as unknown as unknown[];
  const callback = args[3] || position;
  const native = engine();
  const at = tryParseWritePosition(position);
  const isPlain = isDescriptor(fd) && typeof callback === 'function' && arePlainViews(views, name);
  if (native === undefined || at === undefined || !isPlain) return void callFallback(name, args);
  // A copy of the array, which nobody else can change: it keeps the views' memory alive while the kernel uses it.
  const kept = [...views];
  const answer = native[name](fd, kept, at, FLAG_CALLBACK);
  finishTransfer({ name, args, syscall }, answer, kept, views, callback as Callback);
}

export function readv(_fd: unknown, _views: unknown, _position: unknown, _callback: unknown): void {
  // biome-ignore lint/complexity/noArguments: the number of arguments is part of the call
  vectored('readv', 'read', arguments);
}

export function writev(_fd: unknown, _views: unknown, _position: unknown, _callback: unknown): void {
  // biome-ignore lint/complexity/noArguments: the number of arguments is part of the call
  vectored('writev', 'write', arguments);
}
