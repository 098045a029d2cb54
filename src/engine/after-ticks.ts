// Promises of what the engine has answered at once. In node such a promise settles from the event loop, so whatever a
// program has put on the nextTick queue by then has run. A tick of ours behind those keeps that order, and is the
// cheapest thing that does: the loop need not turn, and answers of one tick share it.

type Resolve = (value: unknown) => void;

// Two arrays that stay, used up to `count`: an object for each answer would cost more than the rest.
const resolvers: (Resolve | undefined)[] = [];
const values: unknown[] = [];
let count = 0;

// Taken at the first use: `ioengine` alone, which answers nothing, does without the module.
let nextTick: typeof process.nextTick | undefined;

let captured: Resolve;
const capture = (resolve: Resolve): void => {
  captured = resolve;
};

// Settling queues jobs and runs none of them, so nobody adds an answer meanwhile.
function settleAll(): void {
  for (let index = 0; index < count; index++) {
    resolvers[index]!(values[index]);
    resolvers[index] = undefined;
    values[index] = undefined;
  }
  count = 0;
}

/** A promise of `value`, which is no promise, that settles behind everything on the nextTick queue. */
export function afterTicks<T>(value: T): Promise<T> {
  const promise = new Promise<unknown>(capture);
  if (count === 0) {
    nextTick ??= (require('../node/fs') as typeof import('../node/fs')).nextTick;
    nextTick(settleAll);
  }
  resolvers[count] = captured;
  values[count++] = value;
  return promise as Promise<T>;
}
