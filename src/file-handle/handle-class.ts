// Which objects are FileHandles of ioengine. Functions that may be given one ask here, so that a program without
// FileHandles does not load what they can do (file-handle.ts).

import type { IoFileHandle } from './completions';

export interface HandleClass {
  new (native: unknown): IoFileHandle;
}

let Class: HandleClass | undefined;

/** The class; `make` makes it once. */
export function handleClass(make: () => HandleClass): HandleClass {
  Class ??= make();
  return Class;
}

/** True for a handle that `fileHandleOf` of file-handle.ts has made. */
export function isIoFileHandle(value: unknown): value is IoFileHandle {
  return Class !== undefined && value instanceof Class;
}

/** A closed one is node's: it fails in another way than the methods of a closed handle do. */
export function isOpenHandle(value: unknown): value is IoFileHandle {
  return isIoFileHandle(value) && value.fd >= 0;
}
