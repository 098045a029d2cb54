// The callback forms of node:fs that the engine serves: plain calls go to the engine, all others to node:fs, which
// raises its own errors.

import { callBackWith } from '../engine/requests';
import { countDelegated, engine, NOT_TAKEN } from '../engine/runtime';
import { CURRENT, isDescriptor, isPlainView, plainPosition } from '../internal/arguments';
import { systemErrorWithoutFrames } from '../internal/errors';
import { hostFs } from '../internal/host';
import { ACCEPTED, type Addon, FLAG_CALLBACK } from '../native/addon';
import { arePlainViews } from './file-handle';
import { open as openHandle, openWithCallback } from './open';
import { readFile as readWhole, writeFile as writeWhole } from './whole-files';

type Callback = (error: unknown, ...values: unknown[]) => void;
// biome-ignore lint/suspicious/noExplicitAny: node's functions with all their overloads
const host = hostFs as any;

function delegate(name: string, args: ArrayLike<unknown>): unknown {
  countDelegated();
  return host[name].apply(hostFs, args);
}

/**
 * Hooks an answer up with its callback. False: nothing was accepted and node:fs has to serve the call. `again` does so
 * when that turns out only later.
 */
function called(
  answer: number,
  syscall: string,
  subject: unknown,
  callback: Callback,
  again: () => void,
  count: boolean,
): boolean {
  if (answer === NOT_TAKEN) return false;
  const finish = (result: number): void => {
    if (result === NOT_TAKEN) return again();
    const error = result < 0 ? systemErrorWithoutFrames(result, syscall) : null;
    if (count) callback(error, result < 0 ? 0 : result, subject);
    else callback(error);
  };
  if (answer <= ACCEPTED) callBackWith(answer, subject, finish);
  else process.nextTick(finish, answer);
  return true;
}

function fits(view: NodeJS.ArrayBufferView, offset: unknown, length: unknown): boolean {
  return (
    Number.isInteger(offset) &&
    Number.isInteger(length) &&
    (offset as number) >= 0 &&
    (length as number) > 0 &&
    (length as number) <= 0x7fffffff &&
    (offset as number) + (length as number) <= view.byteLength &&
    view.byteLength <= 0xffffffff
  );
}

function read(fd: unknown, buffer: unknown, offset: unknown, length: unknown, position: unknown, callback: unknown): void {
  const native = engine();
  // biome-ignore lint/complexity/noArguments: the number of arguments is part of the call
  const args = arguments;
  if (native === undefined || !isDescriptor(fd) || args.length < 2) return void delegate('read', args);
  if (args.length <= 4) {
    // (fd, callback), (fd, options, callback), (fd, buffer, callback), (fd, buffer, options, callback)
    callback = args[args.length - 1];
    let options: unknown = args.length === 4 ? offset : undefined;
    if (args.length === 2) buffer = undefined;
    if (!isPlainView(buffer)) {
      if (args.length === 4 || (buffer !== undefined && (typeof buffer !== 'object' || buffer === null || ArrayBuffer.isView(buffer)))) {
        return void delegate('read', args);
      }
      options = buffer ?? {};
      ({ buffer = Buffer.alloc(16384) } = options as Record<string, unknown>);
    }
    if (!isPlainView(buffer)) return void delegate('read', args);
    if (options !== undefined && options !== null && typeof options !== 'object') return void delegate('read', args);
    const view = buffer;
    ({ offset = 0, length = view.byteLength - (offset as number), position = null } = (options ?? {}) as Record<string, unknown>);
  }
  const at = plainPosition(position);
  offset ??= 0;
  if (at === undefined || typeof callback !== 'function' || !isPlainView(buffer) || !fits(buffer, offset, length)) {
    return void delegate('read', args);
  }
  const answer = native.read(fd, buffer, offset as number, length as number, at, FLAG_CALLBACK);
  const again = (): void => void delegate('read', args);
  if (!called(answer, 'read', buffer, callback as Callback, again, true)) again();
}

function write(fd: unknown, buffer: unknown, offset: unknown, length: unknown, position: unknown, callback: unknown): void {
  const native = engine();
  // biome-ignore lint/complexity/noArguments: the number of arguments is part of the call
  const args = arguments;
  callback = args[args.length - 1];
  if (native === undefined || !isDescriptor(fd) || typeof callback !== 'function') return void delegate('write', args);
  const again = (): void => void delegate('write', args);
  const given = (value: unknown): unknown => (value === callback ? undefined : value);
  if (typeof buffer === 'string') {
    if (!writeText(native, fd, buffer, given(offset), given(length), callback as Callback, again)) again();
    return;
  }
  if (!isPlainView(buffer)) return again();
  offset = given(offset);
  length = given(length);
  position = given(position);
  if (typeof offset === 'object' && offset !== null) {
    ({ offset = 0, length = buffer.byteLength - (offset as unknown as number), position = null } = offset as Record<string, unknown>);
  }
  offset ??= 0;
  if (typeof length !== 'number') length = buffer.byteLength - (offset as number);
  const at = typeof position === 'number' ? plainPosition(position) : CURRENT;
  if (at === undefined || !fits(buffer, offset, length)) return again();
  const answer = native.write(fd, buffer, offset as number, length as number, at, FLAG_CALLBACK);
  if (!called(answer, 'write', buffer, callback as Callback, again, true)) again();
}

function writeText(
  native: Addon,
  fd: number,
  text: string,
  position: unknown,
  encoding: unknown,
  callback: Callback,
  again: () => void,
): boolean {
  if (typeof position === 'string' || (encoding !== undefined && encoding !== null && !Buffer.isEncoding(encoding as string))) {
    return false;
  }
  const at = typeof position === 'number' ? plainPosition(position) : CURRENT;
  const bytes = Buffer.from(text, (encoding ?? 'utf8') as BufferEncoding);
  if (at === undefined || bytes.byteLength === 0) return false;
  const answer = native.write(fd, bytes, 0, bytes.byteLength, at, FLAG_CALLBACK);
  const shown: Callback = (error, count) => callback(error, count, text);
  return called(answer, 'write', bytes, shown, again, true);
}

function vectored(name: 'readv' | 'writev', syscall: string, args: IArguments): void {
  const [fd, views, position] = args as unknown as [unknown, unknown, unknown];
  const callback = args[args.length - 1];
  const native = engine();
  const at = typeof position === 'number' ? plainPosition(position) : CURRENT;
  const again = (): void => void delegate(name, args);
  if (native === undefined || !isDescriptor(fd) || typeof callback !== 'function' || at === undefined || !arePlainViews(views)) {
    return again();
  }
  const answer = native[name](fd, views, at, FLAG_CALLBACK);
  if (!called(answer, syscall, views, callback as Callback, again, true)) again();
}

function readv(_fd: unknown, _views: unknown, _position: unknown, _callback: unknown): void {
  // biome-ignore lint/complexity/noArguments: the number of arguments is part of the call
  vectored('readv', 'read', arguments);
}

function writev(_fd: unknown, _views: unknown, _position: unknown, _callback: unknown): void {
  // biome-ignore lint/complexity/noArguments: the number of arguments is part of the call
  vectored('writev', 'write', arguments);
}

function synced(name: 'fsync' | 'fdatasync', dataOnly: number, args: IArguments): void {
  const [fd, callback] = args as unknown as [unknown, unknown];
  const native = engine();
  const again = (): void => void delegate(name, args);
  if (native === undefined || !isDescriptor(fd) || typeof callback !== 'function') return again();
  const answer = native.sync(fd, dataOnly, FLAG_CALLBACK);
  if (!called(answer, name, undefined, callback as Callback, again, false)) again();
}

function fsync(_fd: unknown, _callback: unknown): void {
  // biome-ignore lint/complexity/noArguments: the number of arguments is part of the call
  synced('fsync', 0, arguments);
}

function fdatasync(_fd: unknown, _callback: unknown): void {
  // biome-ignore lint/complexity/noArguments: the number of arguments is part of the call
  synced('fdatasync', 1, arguments);
}

function close(fd: unknown, callback?: unknown): void {
  // biome-ignore lint/complexity/noArguments: the number of arguments is part of the call
  const args = arguments;
  const native = engine();
  const again = (): void => void delegate('close', args);
  if (native === undefined || !isDescriptor(fd) || (callback !== undefined && typeof callback !== 'function')) return again();
  // Without a callback node throws what goes wrong.
  const finished = (callback ?? rethrow) as Callback;
  if (!called(native.close(fd, FLAG_CALLBACK), 'close', undefined, finished, again, false)) again();
}

function rethrow(error: unknown): void {
  if (error !== null) throw error;
}

function open(path: unknown, flags: unknown, mode: unknown, callback: unknown): unknown {
  // biome-ignore lint/complexity/noArguments: the number of arguments is part of the call
  const args = arguments;
  const last = args[args.length - 1];
  if (typeof last !== 'function') {
    // The one addition to node:fs: without a callback a promise of a FileHandle.
    if (callback === undefined) return openHandle(path as string, flags as string, mode as number);
    return delegate('open', args);
  }
  const given = (value: unknown): unknown => (value === last ? undefined : value);
  if (args.length > 4 || !openWithCallback(path, given(flags), given(mode), last as Callback)) delegate('open', args);
  return undefined;
}

/** Hands a promise's outcome to a callback, in its own tick: what it throws is an uncaught exception, as in node. */
function settleInto(promise: Promise<unknown>, callback: Callback): void {
  promise.then(
    (value) => process.nextTick(callback, null, ...(value === undefined ? [] : [value])),
    (error) => process.nextTick(callback, error),
  );
}

function readFile(path: unknown, options: unknown, callback: unknown): void {
  // biome-ignore lint/complexity/noArguments: the number of arguments is part of the call
  const args = arguments;
  const finished = callback ?? options;
  const promise = typeof finished === 'function' ? readWhole(path, options === finished ? undefined : options) : undefined;
  if (promise === undefined) return void delegate('readFile', args);
  settleInto(promise, finished as Callback);
}

function writeFile(path: unknown, data: unknown, options: unknown, callback: unknown): void {
  // biome-ignore lint/complexity/noArguments: the number of arguments is part of the call
  writeNamed('writeFile', path, data, options, callback, 'w', arguments);
}

function appendFile(path: unknown, data: unknown, options: unknown, callback: unknown): void {
  // biome-ignore lint/complexity/noArguments: the number of arguments is part of the call
  writeNamed('appendFile', path, data, options, callback, 'a', arguments);
}

function writeNamed(
  name: string,
  path: unknown,
  data: unknown,
  options: unknown,
  callback: unknown,
  flag: string,
  args: IArguments,
): void {
  const finished = callback ?? options;
  // The callback form takes strings and views only, no iterables.
  const plain = typeof finished === 'function' && (typeof data === 'string' || ArrayBuffer.isView(data));
  const promise = plain ? writeWhole(path, data, options === finished ? undefined : options, flag) : undefined;
  if (promise === undefined) return void delegate(name, args);
  settleInto(promise, finished as Callback);
}

function closeSync(fd: unknown): void {
  // What was accepted on the descriptor goes first (H4); afterwards its number means nothing to us.
  if (isDescriptor(fd)) {
    const native = engine();
    native?.settleDescriptor(fd);
    native?.forget(fd);
  }
  host.closeSync(fd);
}

/** By name, for the module that is put together in fs.ts. */
export const callbackFunctions = {
  open,
  close,
  closeSync,
  read,
  write,
  readv,
  writev,
  fsync,
  fdatasync,
  readFile,
  writeFile,
  appendFile,
};
