// writeFile, appendFile and realpath by way of the module's own open, write, lstat and so on, because a program has
// replaced one of them on ioengine/fs. What is not plain goes to the function itself.

import { isPlainView } from '../engine/arguments';
import type { Callback } from '../engine/callbacks';
import { type FileOptions, tryParseFileOptions } from '../engine/file-options';
import { WRITES_IN_ONE_GO } from '../node/fs';
import { walkRealPath } from './patched-realpath';

type AnyFunction = (...args: never[]) => unknown;
type Functions = Record<string, (...args: unknown[]) => unknown>;

interface Chain {
  readonly module_: Functions;
  readonly fd: number;
  /** The caller's descriptor stays open. */
  readonly owned: boolean;
  readonly flush: boolean;
  readonly callback: Callback;
}

function tryParseBytes(data: unknown, encoding: BufferEncoding | undefined): Uint8Array | undefined {
  if (typeof data === 'string') return Buffer.from(data, encoding ?? 'utf8');
  return isPlainView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : undefined;
}

function finish({ module_, fd, owned, callback }: Chain, error: unknown): void {
  if (!owned) callback(error);
  else module_.close!(fd, (closeError: unknown) => callback(error ?? closeError));
}

function writeRest(chain: Chain, bytes: Uint8Array, done: number): void {
  const { module_, fd, flush } = chain;
  module_.write!(fd, bytes, done, bytes.byteLength - done, null, (error: unknown, written: number) => {
    if (error) finish(chain, error);
    else if (done + written < bytes.byteLength) writeRest(chain, bytes, done + written);
    else if (flush) module_.fsync!(fd, (syncError: unknown) => finish(chain, syncError ?? null));
    else finish(chain, null);
  });
}

/** `fallback` serves what is not plainly well formed, and raises its errors. */
export function writeFile(module_: Functions, fallback: AnyFunction, args: ArrayLike<unknown>): void {
  const [path, data, options, last] = Array.from(args);
  const callback = (last || options) as Callback;
  const parsed = tryParseFileOptions(options === callback ? undefined : options, 'w');
  const bytes = parsed === undefined ? undefined : tryParseBytes(data, parsed.encoding);
  const chained = parsed !== undefined && parsed.signal === undefined && (parsed.flush || !WRITES_IN_ONE_GO);
  if (!chained || bytes === undefined || typeof callback !== 'function') {
    fallback.apply(module_, args as never);
    return;
  }
  openAnd(module_, path, parsed, callback, (chain) => writeRest(chain, bytes, 0));
}

function openAnd(
  module_: Functions,
  path: unknown,
  { flag, mode, flush }: FileOptions,
  callback: Callback,
  then: (chain: Chain) => void,
): void {
  if (typeof path === 'number') {
    then({ module_, fd: path, owned: false, flush, callback });
    return;
  }
  module_.open!(path, flag, mode ?? 0o666, (error: unknown, fd: number) => {
    if (error) callback(error);
    else then({ module_, fd, owned: true, flush, callback });
  });
}

/** As node's: writeFile of the module, with the flag 'a'. */
export function appendFile(module_: Functions, fallback: AnyFunction, args: ArrayLike<unknown>): void {
  const [path, data, options, last] = Array.from(args);
  const callback = (last || options) as Callback;
  const value = options === callback ? undefined : options;
  if (typeof callback !== 'function' || tryParseFileOptions(value, 'a') === undefined) {
    fallback.apply(module_, args as never);
    return;
  }
  const copy: { flag?: unknown } =
    typeof value === 'string' ? ({ encoding: value } as object) : { ...(value as object) };
  if (typeof path === 'number') copy.flag = 'a';
  module_.writeFile!(path, data, { ...copy, flag: copy.flag || 'a' }, callback);
}

export function realpath(module_: Functions, fallback: AnyFunction, args: ArrayLike<unknown>): void {
  if (!walkRealPath(module_, args[0], args[1], args[2])) fallback.apply(module_, args as never);
}
