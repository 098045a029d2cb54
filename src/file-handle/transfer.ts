// A FileHandle that is sent to another thread arrives there as one of the engine's.

import { closedByEngine } from '../descriptor/file-handle-close';
import { startedEngine } from '../engine/engine';
import { dressed } from '../modules/build';
import { ofMainContext } from '../native/addon';
import type { HandleParts, NativeHandle } from '../node/file-handle-parts';

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
 * Makes handles of `Class` arrive as such after a transfer. Node makes what arrives, in its own class, so that class
 * has to see by a mark in the message whose handle it was. A thread that has not made our class yet keeps node's. Of
 * several copies of this module in a thread, the last one's class it is.
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
