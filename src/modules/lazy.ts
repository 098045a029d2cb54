// Functions whose implementation is loaded at their first call. Importing ioengine/fs has to cost little more than
// node:fs, and most of what it brings is not needed before the first operation.

type AnyFunction = (...args: never[]) => unknown;

/**
 * `plain`: functions that can be called with new, as node's callback functions can. `async`: such that cannot.
 * `generator`: async generators.
 */
export type Kind = keyof typeof makers;

/** One function for each of `names`; the first call of any of them calls `load`. */
export function lazyFunctions(kind: Kind, names: readonly string[], load: () => Record<string, AnyFunction>) {
  let loaded: Record<string, AnyFunction> | undefined;
  const implementationOf = (name: string): AnyFunction => {
    loaded ??= load();
    return loaded[name]!;
  };
  return Object.fromEntries(names.map((name) => [name, makers[kind](() => implementationOf(name))]));
}

// `arguments` is passed on as it is: that way no array is made on the hot path.

function plainFunction(find: () => AnyFunction): AnyFunction {
  let found: AnyFunction | undefined;
  return function (this: unknown): unknown {
    found ??= find();
    // biome-ignore lint/complexity/noArguments: see above
    return found.apply(this, arguments as never);
  };
}

function asyncFunction(find: () => AnyFunction): AnyFunction {
  let found: AnyFunction | undefined;
  // A method, because it is no constructor, as an async function is none; `async` itself would cost ticks.
  const { method } = {
    method(): unknown {
      found ??= find();
      // biome-ignore lint/complexity/noArguments: see above
      return found.apply(this, arguments as never);
    },
  };
  return method;
}

function generatorFunction(find: () => AnyFunction): AnyFunction {
  const { method } = {
    async *method(...args: never[]): AsyncGenerator {
      yield* find().apply(this, args) as AsyncGenerator;
    },
  };
  return method;
}

const makers = { plain: plainFunction, async: asyncFunction, generator: generatorFunction };
