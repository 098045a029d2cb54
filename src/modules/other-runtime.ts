// `ioengine/fs` where the program runs on Bun or Deno: that runtime's own functions. Their node:fs has the shape of
// node's, but nothing of what the engine needs below it; so the addon is not touched, and only what ioengine adds is
// put on top.

import { isOptions } from '../engine/arguments';
import { EngineError } from '../engine/backend-choice';

type AnyFunction = (...args: unknown[]) => unknown;
type Functions = Record<string, unknown>;

function refuseDirect(direct: unknown, runtime: string): void {
  if (direct !== true) return;
  throw new EngineError(
    'ERR_IOENGINE_DIRECT_UNSUPPORTED',
    `O_DIRECT was asked for, and no engine runs on ${runtime}`,
    "use direct: 'try', which falls back to buffered I/O",
  );
}

/** fs.promises.open, which also takes `{ flags, mode, direct }`. */
function promiseOpen(module_: Functions, runtime: string): AnyFunction {
  const openByRuntime = module_.open as AnyFunction;
  return async function open(path: unknown, flags: unknown, mode: unknown): Promise<unknown> {
    if (!isOptions(flags)) return openByRuntime(path, flags ?? 'r', mode);
    refuseDirect(flags.direct, runtime);
    return openByRuntime(path, flags.flags ?? 'r', flags.mode);
  };
}

export function promisesModule(module_: object, runtime: string): object {
  return { ...module_, open: promiseOpen(module_ as Functions, runtime) };
}

export function fsModule(module_: object, runtime: string): object {
  const functions = module_ as Record<string, AnyFunction>;
  const promises = promisesModule(functions.promises as unknown as object, runtime) as Record<string, AnyFunction>;
  const stream =
    (name: 'createReadStream' | 'createWriteStream'): AnyFunction =>
    (path, options) => {
      if (isOptions(options)) refuseDirect(options.direct, runtime);
      return functions[name]!(path, options);
    };
  return {
    ...module_,
    promises,
    createReadStream: stream('createReadStream'),
    createWriteStream: stream('createWriteStream'),
    open(...args: unknown[]): unknown {
      const hasCallback = args.some((arg) => typeof arg === 'function');
      return hasCallback ? functions.open!(...args) : promises.open!(...args);
    },
  };
}
