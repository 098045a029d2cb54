// realpath with a callback: node's walk over the engine's functions. As a promise it is one pool job: path-syscalls.ts.

import { callFallback } from '../engine/fallback';
import { walkRealPath } from '../modules/patched-realpath';
import { pathSyscallCallbacks } from './path-syscalls';
import { lstat, stat } from './stat';

const steps = { lstat, stat, readlink: pathSyscallCallbacks.readlink };

export function realpath(path: unknown, options: unknown, callback: unknown): void {
  // biome-ignore lint/complexity/noArguments: the number of arguments is part of the call
  if (!walkRealPath(steps, path, options, callback)) callFallback('realpath', arguments);
}
