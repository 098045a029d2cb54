// fsync, fdatasync and ftruncate of node:fs.

import { isDescriptor } from '../engine/arguments';
import { type Callback, finishPlain } from '../engine/callbacks';
import { engine, pathsAreGuarded } from '../engine/engine';
import { callFallback } from '../engine/fallback';
import { FLAG_CALLBACK } from '../native/addon';

function synced(name: 'fsync' | 'fdatasync', dataOnly: number, args: IArguments): void {
  const [fd, callback] = args as unknown as unknown[];
  const native = engine();
  // With --permission node refuses these functions as a whole.
  const isPlain = isDescriptor(fd) && typeof callback === 'function' && !pathsAreGuarded();
  if (native === undefined || !isPlain) return void callFallback(name, args);
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
  const [callback, size] = typeof length === 'function' ? [length, 0] : [last, length ?? 0];
  const isPlain = isDescriptor(fd) && typeof callback === 'function' && length !== null && Number.isSafeInteger(size);
  if (native === undefined || !isPlain || pathsAreGuarded()) return void callFallback('ftruncate', args);
  const answer = native.truncate(fd, Math.max(0, size as number), FLAG_CALLBACK);
  finishPlain({ name: 'ftruncate', args, syscall: 'ftruncate' }, answer, callback as Callback);
}
