// open, close, closeSync, fsync, fdatasync and ftruncate of node:fs.

import { open as openHandle, openWithCallback } from '../descriptor/open';
import { isDescriptor } from '../engine/arguments';
import { startedEngine } from '../engine/backend-choice';
import { engine, pathsAreGuarded } from '../engine/engine';
import { type Callback, delegate, finishPlain } from '../engine/fallback';
import { FLAG_CALLBACK } from '../native/addon';
import { nodeFs } from '../node/fs';

export function open(path: unknown, flags: unknown, mode: unknown, callback: unknown): unknown {
  // The one addition to node:fs: without a callback a promise of a FileHandle.
  if (callback === undefined && typeof flags !== 'function' && typeof mode !== 'function') {
    return openHandle(path as string, flags as string, mode as number);
  }
  // biome-ignore lint/complexity/noArguments: the number of arguments is part of the call
  return openPlain.apply(undefined, arguments as never);
}

/** fs.open without the addition. */
export function openPlain(path: unknown, flags: unknown, mode: unknown, callback: unknown): unknown {
  // biome-ignore lint/complexity/noArguments: the number of arguments is part of the call
  const args = arguments;
  let taken: boolean;
  if (args.length < 3) taken = openWithCallback(path, 'r', undefined, flags);
  else if (typeof mode === 'function') taken = openWithCallback(path, flags, undefined, mode);
  else taken = openWithCallback(path, flags, mode, callback);
  return taken ? undefined : delegate('open', args);
}

export function close(fd: unknown, callback?: unknown): void {
  // biome-ignore lint/complexity/noArguments: the number of arguments is part of the call
  const args = arguments;
  const native = engine();
  // Without a callback node throws what goes wrong.
  const finished = callback === undefined ? rethrow : callback;
  if (native === undefined || !isDescriptor(fd) || typeof finished !== 'function') return void delegate('close', args);
  finishPlain({ name: 'close', args, syscall: 'close' }, native.close(fd, FLAG_CALLBACK), finished as Callback);
}

function rethrow(error: unknown): void {
  if (error !== null) throw error;
}

export function closeSync(fd: unknown): void {
  // What was accepted on the descriptor goes first (H4); afterwards its number means nothing to us.
  // Nothing has been accepted where no engine runs, and none is started here: node's module loaders close files too.
  const native = startedEngine()?.native;
  if (native !== undefined && isDescriptor(fd)) {
    native.settleDescriptor(fd);
    native.forget(fd);
  }
  nodeFs.closeSync(fd as number);
}

function synced(name: 'fsync' | 'fdatasync', dataOnly: number, args: IArguments): void {
  const [fd, callback] = args as unknown as unknown[];
  const native = engine();
  // With --permission node refuses these functions as a whole.
  const plain = isDescriptor(fd) && typeof callback === 'function' && !pathsAreGuarded();
  if (native === undefined || !plain) return void delegate(name, args);
  finishPlain({ name, args, syscall: name }, native.sync(fd, dataOnly, FLAG_CALLBACK), callback as Callback);
}

export function fsync(_fd: unknown, _callback: unknown): void {
  // biome-ignore lint/complexity/noArguments: the number of arguments is part of the call
  synced('fsync', 0, arguments);
}

export function fdatasync(_fd: unknown, _callback: unknown): void {
  // biome-ignore lint/complexity/noArguments: the number of arguments is part of the call
  synced('fdatasync', 1, arguments);
}

/** (fd, callback) or (fd, length, callback). */
export function ftruncate(fd: unknown, length: unknown, last: unknown): void {
  // biome-ignore lint/complexity/noArguments: the number of arguments is part of the call
  const args = arguments;
  const native = engine();
  const [callback, given] = typeof length === 'function' ? [length, 0] : [last, length ?? 0];
  const plain = isDescriptor(fd) && typeof callback === 'function' && length !== null && Number.isSafeInteger(given);
  if (native === undefined || !plain || pathsAreGuarded()) return void delegate('ftruncate', args);
  const answer = native.truncate(fd, Math.max(0, given as number), FLAG_CALLBACK);
  finishPlain({ name: 'ftruncate', args, syscall: 'ftruncate' }, answer, callback as Callback);
}
