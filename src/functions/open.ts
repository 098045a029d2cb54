// open: a promise of a FileHandle, or a plain descriptor for a callback.

import type { PathLike } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { nodeOpen, reopenedByNode } from '../descriptor/fallback-handle';
import { lacksNumber, releaseNumber, reserveNumber } from '../descriptor/node-numbers';
import {
  acceptOpen,
  DIRECT_AS_FLAGS,
  isOpenOptions,
  type OpenArguments,
  type OpenOptions,
  openDescriptor,
  refuseDirectWithoutEngine,
  tryParseOpen,
} from '../descriptor/open';
import { shownPath } from '../engine/arguments';
import { callFallback } from '../engine/fallback';
import { callBackWith } from '../engine/requests';
import { countDelegated } from '../engine/stats';
import { fileHandleOf } from '../file-handle/file-handle';
import { FLAG_CALLBACK, UNSUPPORTED } from '../native/addon';
import { systemErrorWithoutFrames } from '../node/errors';
import { handleParts } from '../node/file-handle-parts';
import { nodeFs } from '../node/fs';

/**
 * fs.promises.open, with `direct`: `open(path, flags, mode)` or `open(path, { flags, mode, direct })`.
 * Errors are node's; ERR_IOENGINE_DIRECT_UNSUPPORTED where `direct: true` cannot be had.
 */
async function openWithPromise(
  path: PathLike,
  flags?: string | number | null | OpenOptions,
  mode?: string | number | null,
): Promise<FileHandle> {
  let direct: unknown;
  if (isOpenOptions(flags)) ({ flags, mode, direct } = flags);
  refuseDirectWithoutEngine(direct, path);
  const args = tryParseOpen(path, flags, mode, direct);
  const fd = args === undefined || !canWrap(args) ? UNSUPPORTED : await openDescriptor(args);
  if (fd === UNSUPPORTED) {
    countDelegated();
    return nodeOpen(
      args === undefined ? path : (args.path as PathLike),
      flags as string | undefined,
      mode as string | undefined,
    );
  }
  return fileHandleOf(fd) ?? reopenedByNode(fd);
}

// Without node's class a descriptor of ours would have to be opened again by node. What O_DIRECT promises, only the
// engine keeps.
function canWrap(args: OpenArguments): boolean {
  return args.direct !== DIRECT_AS_FLAGS || handleParts() !== undefined;
}

export async function openPromise(path: PathLike, flags: unknown, mode: unknown): Promise<unknown> {
  return openWithPromise(path, flags as string, mode as number);
}

/** `callback(error, fd)`. False for what node has to do. */
function tryOpen(path: unknown, flags: unknown, mode: unknown, last: unknown): boolean {
  const args = typeof last === 'function' ? tryParseOpen(path, flags, mode, undefined) : undefined;
  const number = args === undefined ? undefined : reserveNumber();
  if (args === undefined || number === undefined) return false;
  const callback = last as (error: unknown, fd?: number) => void;
  const finish = (result: number): void => {
    if (result >= 0) {
      callback(null, result);
      return;
    }
    releaseNumber(number);
    if (result !== UNSUPPORTED && !lacksNumber(result, number)) {
      callback(systemErrorWithoutFrames(result, 'open', shownPath(args.path)));
    } else {
      countDelegated();
      nodeFs.open(args.path as PathLike, flags as string, mode as number, callback as never);
    }
  };
  const answer = acceptOpen(args, number, FLAG_CALLBACK);
  if (answer === UNSUPPORTED) {
    releaseNumber(number);
    return false;
  }
  callBackWith(answer, undefined, finish);
  return true;
}

/** fs.open as node has it. */
export function openWithCallback(path: unknown, flags: unknown, mode: unknown, callback: unknown): unknown {
  // biome-ignore lint/complexity/noArguments: the number of arguments is part of the call
  const args = arguments;
  let taken: boolean;
  if (args.length < 3) taken = tryOpen(path, 'r', undefined, flags);
  else if (typeof mode === 'function') taken = tryOpen(path, flags, undefined, mode);
  else taken = tryOpen(path, flags, mode, callback);
  return taken ? undefined : callFallback('open', args);
}

/** fs.open with the one addition to node:fs: without a callback a promise of a FileHandle. */
export function open(path: unknown, flags: unknown, mode: unknown, callback: unknown): unknown {
  if (callback === undefined && typeof flags !== 'function' && typeof mode !== 'function') {
    return openWithPromise(path as string, flags as string, mode as number);
  }
  // biome-ignore lint/complexity/noArguments: the number of arguments is part of the call
  return openWithCallback.apply(undefined, arguments as never);
}
