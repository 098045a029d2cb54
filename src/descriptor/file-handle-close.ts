// FileHandle as a subclass of Node's own class, over descriptors that the engine opened. Node refuses foreign handles
// (instanceof, private brands), so this is what makes fs.promises.readFile(handle), createReadStream({ fd: handle }),
// transfer to a Worker and the rest work. Where the class comes from: node/file-handle-parts.ts.

import { afterPoll } from '../engine/after-poll';
import { FLAG_TRUSTED, startedEngine, UNSUPPORTED } from '../engine/engine';
import { resultOf } from '../engine/requests';
import { dressed } from '../modules/build';
import { ofMainContext } from '../native/addon';
import { systemError } from '../node/errors';
import type { HandleParts, NativeHandle } from '../node/file-handle-parts';
import { nodeFs } from '../node/fs';

/** Closes a descriptor through the engine, behind everything accepted on it. Rejects with node's error. */
export async function closeDescriptor(fd: number): Promise<void> {
  const native = startedEngine();
  const answer = native === undefined ? UNSUPPORTED : native.close(fd, FLAG_TRUSTED);
  const result = await (answer >= 0 ? afterPoll(answer) : resultOf(answer));
  if (result === UNSUPPORTED) {
    await new Promise<void>((resolve, reject) => {
      nodeFs.close(fd, (error) => (error ? reject(error) : resolve()));
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

/** Held here: the thread has only a weak reference to it. */
let adopt: ((handle: object) => void) | undefined;

/** Made once for each thread. For ofMainContext(): it uses nothing but its arguments. */
function makeReceive(receive: Methods[symbol], adoptArrived: (handle: object) => void): Methods[symbol] {
  return function (this: object, data: unknown): void {
    receive.call(this, data);
    if ((data as { ioengine?: boolean }).ioengine === true) adoptArrived(this);
  };
}

/**
 * Makes handles of `Class` arrive as such after a transfer. Node makes what arrives, in its own class, so that class has
 * to see by a mark in the message whose handle it was. A thread that has not made our class yet keeps node's. Of several
 * copies of this module in a thread, the last one's class it is.
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
  adopt = (arrived) => {
    closedByEngine((arrived as Record<symbol, NativeHandle>)[handle]!);
    Object.setPrototypeOf(arrived, Class.prototype);
  };
  const { shared } = startedEngine()!;
  if (shared.adoptWith(adopt)) return;
  replaceMethod(base, deserialize, ofMainContext(makeReceive, shared)(receive!, shared.adopt));
}

function replaceMethod(prototype: object, name: symbol, value: unknown): void {
  const looks = { value: dressed(value, (prototype as Methods)[name]), enumerable: false };
  Object.defineProperty(prototype, name, { ...looks, writable: true, configurable: true });
}
