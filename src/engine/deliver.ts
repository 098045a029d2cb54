// How results come back from the addon: one call per batch. Where several copies of this package share the engine of a
// thread, the first copy's serves them all.

/** What a slot settles. `result` is a count, a descriptor, 0, a negative errno or UNSUPPORTED. */
export interface Pending {
  /** The view of a read or write, or the array of its views: the addon looks by this name whether it is still there. */
  readonly keepAlive: unknown;
  /** Runs foreign code, in a callback scope of its own. */
  readonly callsBack: boolean;
  settle(result: number): void;
}

/**
 * Between callbacks everything that was settled before has its say, as in node; promises only queue jobs, so nobody's
 * code runs between two of them. Nothing leaves `deliver`: an exception that does so finds async contexts on node's
 * stack that it does not expect there (a nextTick's, for one).
 *
 * For ofMainContext(): it uses nothing but its arguments.
 */
export function makeDeliver(
  results: Int32Array,
  pending: (Pending | undefined)[],
  uncaught: (error: unknown) => void,
  drain: (() => void) | undefined,
): (count: number) => void {
  function runTicks(): void {
    try {
      drain?.();
    } catch (error) {
      uncaught(error);
    }
  }

  /** A result that has no value (a text beyond V8's limit): its promise is told, and the rest of the batch goes on. */
  function settleWithError(request: Pending, error: unknown): void {
    const { resolve } = request as { resolve?: (value: unknown) => void };
    if (resolve === undefined) uncaught(error);
    else resolve(Promise.reject(error));
  }

  return function deliver(count: number): void {
    let undrained = false;
    for (let index = 0; index < count; index++) {
      const slot = results[index * 2]!;
      const result = results[index * 2 + 1]!;
      const request = pending[slot]!;
      pending[slot] = undefined;
      if (undrained && request.callsBack) runTicks();
      undrained = true;
      try {
        request.settle(result);
      } catch (error) {
        settleWithError(request, error);
      }
    }
  };
}
