// Promises of calls on paths that the engine has answered at once. In node each takes a way through the event loop, and
// programs count on what happens meanwhile: a watcher hears of a write before it has looked at the new file, immediates
// run. So they settle from the loop, once it has polled; all of one turn share one request. Reads of an open file,
// which nobody follows from outside, settle sooner (after-ticks.ts).

import { startedEngine } from './engine';
import { settleWith } from './requests';

type Resolve = (value: unknown) => void;

/** Resolve functions and their values in turn. */
let waiting: unknown[] = [];

let captured: Resolve;
const capture = (resolve: Resolve): void => {
  captured = resolve;
};

const settleAll = {
  keepAlive: undefined,
  callsBack: false,
  settle(): void {
    const settled = waiting;
    waiting = [];
    for (let index = 0; index < settled.length; index += 2) (settled[index] as Resolve)(settled[index + 1]);
  },
};

/** A promise of `value`, which is no promise, that settles once the event loop has polled. */
export function afterPoll<T>(value: T): Promise<T> {
  const promise = new Promise<unknown>(capture);
  if (waiting.length === 0) settleWith(startedEngine()!.later(0, 1), settleAll);
  waiting.push(captured, value);
  return promise as Promise<T>;
}
