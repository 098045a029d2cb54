// The two forms of a function that is one pool job: its promise and its callback
// (docs/decisions/0008-paths-on-the-engine.md).

import { callFallback, kept, keptArguments, parsedOrUndefined } from '../engine/fallback';
import { type PoolJob, startWithCallback, startWithPromise } from '../engine/pool-job';
import { nodePromises } from '../node/promises';

export type AnyFunction = (...args: unknown[]) => unknown;

/**
 * The job for the arguments; undefined where node:fs is to judge them. `fallback` is node's function as a promise, with
 * these arguments.
 */
export type TryParseJob = (a: unknown, b: unknown, c: unknown, fallback: () => unknown) => PoolJob | undefined;

export const nodePromiseFunctions = nodePromises as unknown as Record<string, AnyFunction>;

/** A method, because it is no constructor; not async, which would cost ticks. */
export function promiseForm(name: string, tryParse: TryParseJob): AnyFunction {
  const { method } = {
    method(a: unknown, b: unknown, c: unknown): unknown {
      const [keptA, keptB] = [kept(a), kept(b)];
      const fallback = (): unknown => nodePromiseFunctions[name]!(keptA, keptB, c);
      const job = parsedOrUndefined(() => tryParse(a, b, c, fallback));
      return startWithPromise(job, fallback, () => nodePromiseFunctions[name]!(a, b, c));
    },
  };
  return method;
}

/** The arguments in front of the callback: `required` ones, which may be followed by one that may be left out. */
export interface Form {
  required: 1 | 2 | 3;
  optional?: boolean;
}

export function callbackForm(name: string, tryParse: TryParseJob, { required, optional = false }: Form): AnyFunction {
  return function callbackFunction(...args: unknown[]): void {
    const at = optional && typeof args[required] !== 'function' ? required + 1 : required;
    const callback = args[at];
    const [a, b, c] = args.slice(0, at);
    const later = keptArguments(args);
    const servedByPromise = (): unknown => nodePromiseFunctions[name]!(...Array.from(later).slice(0, at));
    const job = typeof callback === 'function' ? tryParse(a, b, c, servedByPromise) : undefined;
    if (!startWithCallback(job, callback, () => callFallback(name, later))) callFallback(name, args);
  };
}
