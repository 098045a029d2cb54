// The diagnostics channel `ioengine:slow`: each call that has not settled for a while is told once, while it still
// hangs. Nothing runs while nobody listens. A timer that keeps nothing alive fires when the oldest call would be that
// old; the look itself is an immediate, behind the poll phase: what has ended while JavaScript was busy is not told.

import { type Channel, channel } from 'node:diagnostics_channel';
import type { Addon } from '../native/addon';

// The program's own timers may be fakes by the time that these are needed.
const { setTimeout, setImmediate } = globalThis;

const DEFAULT_MS = 1000;
/** Between two looks, in parts of the threshold. */
const LOOKS = 20;

const slow = channel('ioengine:slow');

/** IOENGINE_SLOW_MS, read once. */
function threshold(): number {
  const ms = Number(process.env.IOENGINE_SLOW_MS);
  return ms >= 1 && ms <= 2 ** 31 - 1 ? ms : DEFAULT_MS;
}

class Watch {
  readonly #thresholdMs = threshold();
  #runs = false;

  constructor(private readonly native: Addon) {}

  start(): void {
    if (this.#runs) return;
    this.#runs = true;
    this.#wait();
  }

  #wait(): void {
    const left = this.#thresholdMs - this.native.oldestCall();
    const ms = Math.max(left, this.#thresholdMs / LOOKS, 1);
    // The immediate is not unref'd: the loop would sleep before it.
    setTimeout(() => setImmediate(() => this.#look()), Math.ceil(ms)).unref();
  }

  #look(): void {
    this.#runs = slow.hasSubscribers;
    if (!this.#runs) return;
    const thresholdMs = this.#thresholdMs;
    const { callOf } = require('./in-flight') as typeof import('./in-flight');
    for (const fields of this.native.slowCalls(thresholdMs)) slow.publish({ ...callOf(fields), thresholdMs });
    this.#wait();
  }
}

/** A channel does not tell that somebody subscribes: its methods that do so are wrapped, in this one object. */
function onSubscribe(start: () => void): void {
  for (const name of ['subscribe', 'bindStore'] as const) {
    if (typeof (slow as Partial<Channel>)[name] !== 'function') continue;
    Object.defineProperty(slow, name, {
      configurable: true,
      value(this: Channel, ...args: never[]): unknown {
        const method = Object.getPrototypeOf(this)[name] as (...args: never[]) => unknown;
        const result = method.apply(this, args);
        start();
        return result;
      },
    });
  }
}

/** Once in a thread, when its engine has started. */
export function tellSlowCalls(native: Addon): void {
  const watch = new Watch(native);
  onSubscribe(() => watch.start());
  if (slow.hasSubscribers) watch.start();
}
