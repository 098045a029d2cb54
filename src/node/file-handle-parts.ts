// What node's FileHandle is made of. Neither the class nor its native half is exported, and a handle that node opens
// costs a descriptor and a job in libuv's pool, which a program may have used up at just that moment. So both are taken
// without opening anything: the class by cloning an object whose message says that it is a FileHandle, as node does
// with a handle that arrives in another thread, and the native half from process.binding. Where either is closed off,
// the first handle that node opens for a caller gives the same.

import { Blob } from 'node:buffer';
import type { FileHandle as NodeFileHandle } from 'node:fs/promises';
import { isNativeFunction, nodeBinding } from './binding';

/** Node's native FileHandle: owns a descriptor until releaseFD(), and closes it with a warning when collected. */
export interface NativeHandle {
  readonly fd: number;
  releaseFD(): void;
  close(): Promise<void>;
}

export type HandleConstructor = new (native: NativeHandle) => NodeFileHandle;
type NativeConstructor = new (fd: number) => NativeHandle;

/** What FileHandle has inside, found by the descriptions of its symbols. */
export interface HandleParts {
  Base: HandleConstructor;
  Native: NativeConstructor;
  /** Where a handle keeps its descriptor: what has none here is no handle, whatever `fd` it shows. */
  fd: symbol;
  ref: symbol;
  unref: symbol;
  handle: symbol;
  /** The methods that postMessage calls on a handle that is sent and on one that arrives. */
  transfer: symbol;
  deserialize: symbol;
  /** `read(buffer)` without a length reads the whole buffer; before it read nothing. */
  lengthDefaultsToRest: boolean;
}

// As it was when ioengine was loaded: test environments replace globals.
const clone = globalThis.structuredClone;

function symbolNamed(object: object, description: string): symbol {
  for (let level = object; level !== null; level = Object.getPrototypeOf(level)) {
    const found = Object.getOwnPropertySymbols(level).find((symbol) => symbol.description === description);
    if (found !== undefined) return found;
  }
  throw new Error(`FileHandle has no ${description}`);
}

/** A FileHandle over no descriptor. */
function emptyHandle(): NodeFileHandle {
  const messenger = new Blob([]);
  const message = { data: { handle: { fd: -1 } }, deserializeInfo: 'internal/fs/promises:FileHandle' };
  Object.defineProperty(messenger, symbolNamed(messenger, 'messaging_clone_symbol'), { value: () => message });
  return clone(messenger) as unknown as NodeFileHandle;
}

// Simulated file systems put classes of their own into node's binding.
function isNative(Class: unknown): Class is NativeConstructor {
  if (!isNativeFunction(Class)) return false;
  return ['releaseFD', 'close'].every(
    (name) => typeof (Class.prototype as Record<string, unknown>)[name] === 'function',
  );
}

/** Looks whether read(buffer) gets as far as the system call, for which it needs the descriptor a second time. */
function readsWithoutLength(fd: symbol): boolean {
  const handle = emptyHandle();
  let looks = 0;
  Object.defineProperty(handle, fd, {
    get() {
      looks += 1;
      if (looks > 1) throw new Error('nothing is to be read');
      return 0;
    },
  });
  handle.read(Buffer.alloc(1)).catch(() => {});
  return looks > 1;
}

function partsOf(handle: NodeFileHandle, Native: unknown): HandleParts {
  if (!isNative(Native)) throw new Error('FileHandle has no native half that can be used');
  const fd = symbolNamed(handle, 'kFd');
  return {
    Base: handle.constructor as HandleConstructor,
    Native,
    fd,
    ref: symbolNamed(handle, 'kRef'),
    unref: symbolNamed(handle, 'kUnref'),
    handle: symbolNamed(handle, 'kHandle'),
    transfer: symbolNamed(handle, 'messaging_transfer_symbol'),
    deserialize: symbolNamed(handle, 'messaging_deserialize_symbol'),
    lengthDefaultsToRest: readsWithoutLength(fd),
  };
}

let parts: HandleParts | undefined;

/** The parts; undefined where this Node keeps them closed. A failure is not remembered: its reason may have gone. */
export function handleParts(): HandleParts | undefined {
  if (parts !== undefined) return parts;
  try {
    parts = partsOf(emptyHandle(), nodeBinding?.FileHandle);
  } catch {
    return undefined;
  }
  return parts;
}

/** Takes the parts from a handle that node has opened. */
export function learnParts(handle: NodeFileHandle): void {
  if (parts !== undefined) return;
  try {
    const native = (handle as unknown as Record<symbol, { constructor: unknown }>)[symbolNamed(handle, 'kHandle')]!;
    parts = partsOf(handle, native.constructor);
  } catch {
    // This Node's handles are used as they are.
  }
}
