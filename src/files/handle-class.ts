// FileHandle as a subclass of Node's own class, over descriptors that the engine opened. Node refuses foreign handles
// (instanceof, private brands), so this is what makes fs.promises.readFile(handle), createReadStream({ fd: handle }),
// transfer to a Worker and the rest work. The class and its native half are not exported: they are taken from a handle
// that node opened once.

import type { FileHandle as NodeFileHandle } from 'node:fs/promises';
import { afterPoll } from '../engine/after-poll';
import { resultOf } from '../engine/requests';
import { engine, FLAG_TRUSTED, NOT_TAKEN } from '../engine/runtime';
import { dressed } from '../internal/build-module';
import { systemError } from '../internal/errors';
import { hostFs } from '../internal/host';
import { hostPromises } from '../internal/host-promises';

/** Node's native FileHandle: owns a descriptor until releaseFD(), and closes it with a warning when collected. */
interface NativeHandle {
  readonly fd: number;
  releaseFD(): void;
  close(): Promise<void>;
}

export type HandleConstructor = new (native: NativeHandle) => NodeFileHandle;

/** What FileHandle has inside, found by the descriptions of its symbols. */
export interface HandleParts {
  Base: HandleConstructor;
  Native: new (fd: number) => NativeHandle;
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

function symbolNamed(object: object, description: string): symbol {
  for (let level = object; level !== null; level = Object.getPrototypeOf(level)) {
    const found = Object.getOwnPropertySymbols(level).find((symbol) => symbol.description === description);
    if (found !== undefined) return found;
  }
  throw new Error(`FileHandle has no ${description}`);
}

async function takeParts(): Promise<HandleParts> {
  const handle = await hostPromises.open('/dev/zero');
  try {
    const symbols = handle as unknown as Record<symbol, { constructor: unknown }>;
    const kHandle = symbolNamed(handle, 'kHandle');
    const native = symbols[kHandle]!;
    const { bytesRead } = await handle.read(Buffer.alloc(1));
    const parts: HandleParts = {
      Base: handle.constructor as HandleConstructor,
      Native: native.constructor as HandleParts['Native'],
      fd: symbolNamed(handle, 'kFd'),
      ref: symbolNamed(handle, 'kRef'),
      unref: symbolNamed(handle, 'kUnref'),
      handle: kHandle,
      transfer: symbolNamed(handle, 'messaging_transfer_symbol'),
      deserialize: symbolNamed(handle, 'messaging_deserialize_symbol'),
      lengthDefaultsToRest: bytesRead === 1,
    };
    for (const method of ['releaseFD', 'close']) {
      if (typeof (parts.Native.prototype as Record<string, unknown>)[method] !== 'function') {
        throw new Error(`the native FileHandle has no ${method}`);
      }
    }
    return parts;
  } finally {
    await handle.close();
  }
}

let parts: Promise<HandleParts | undefined> | undefined;

/** The parts, taken once; undefined where this Node keeps them elsewhere, and node's own handles are used as they are. */
export function handleParts(): Promise<HandleParts | undefined> {
  parts ??= takeParts().catch(() => undefined);
  return parts;
}

/** Closes a descriptor through the engine, behind everything accepted on it. Rejects with node's error. */
export async function closeDescriptor(fd: number): Promise<void> {
  const native = engine();
  const answer = native === undefined ? NOT_TAKEN : native.close(fd, FLAG_TRUSTED);
  const result = await (answer >= 0 ? afterPoll(answer) : resultOf(answer));
  if (result === NOT_TAKEN) {
    await new Promise<void>((resolve, reject) => {
      hostFs.close(fd, (error) => (error ? reject(error) : resolve()));
    });
  } else if (result < 0) {
    throw systemError(result, 'close');
  }
}

/**
 * Node's native handle over `fd`. Its own close is replaced: node's FileHandle.close counts references, sets fd to -1
 * and emits 'close' as ever, and then calls this one.
 */
export function wrapDescriptor(handleParts: HandleParts, fd: number): NativeHandle {
  return closedByEngine(new handleParts.Native(fd));
}

/** The descriptor is released first, or the garbage collector would later close a stranger's. */
function closedByEngine(native: NativeHandle): NativeHandle {
  native.close = () => {
    const { fd } = native;
    native.releaseFD();
    return closeDescriptor(fd);
  };
  return native;
}

type Message = { data: { ioengine?: boolean } };
type Methods = Record<symbol, (this: object, ...args: unknown[]) => unknown>;

/**
 * Makes handles of `Class` arrive as such after a transfer. Node makes what arrives, in its own class, so that class has
 * to see by a mark in the message whose handle it was. A thread that has not made our class yet keeps node's.
 */
export function keepClassInTransfer(handleParts: HandleParts, Class: { prototype: object }): void {
  const { Base, handle, transfer, deserialize } = handleParts;
  const base = Base.prototype as unknown as Methods;
  const { [transfer]: send, [deserialize]: receive } = base;
  replaceMethod(Class.prototype, transfer, function (this: object): unknown {
    const message = send!.call(this) as Message;
    message.data.ioengine = true;
    return message;
  });
  replaceMethod(base, deserialize, function (this: object, data: unknown): void {
    receive!.call(this, data);
    if ((data as Message['data']).ioengine !== true) return;
    closedByEngine((this as Record<symbol, NativeHandle>)[handle]!);
    Object.setPrototypeOf(this, Class.prototype);
  });
}

function replaceMethod(prototype: object, name: symbol, value: unknown): void {
  const looks = { value: dressed(value, (prototype as Methods)[name]), enumerable: false };
  Object.defineProperty(prototype, name, { ...looks, writable: true, configurable: true });
}
