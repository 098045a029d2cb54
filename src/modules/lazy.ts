// Functions whose implementation is loaded at their first call. Importing ioengine/fs has to cost little more than
// node:fs, and most of what it brings is not needed before the first operation.

type AnyFunction = (...args: never[]) => unknown;

/**
 * `plain`: functions that can be called with new, as node's callback functions can. `async`: such that cannot.
 * `generator`: async generators.
 */
export type Kind = keyof typeof makers;

/** One function for each of `names`; the first call of one has `find` load what it stands for. */
export function lazyFunctions<Name extends string>(kind: Kind, names: readonly Name[], find: (name: Name) => unknown) {
  const make = makers[kind];
  const functions = {} as Record<Name, AnyFunction>;
  for (const name of names) functions[name] = make(() => find(name) as AnyFunction);
  return functions;
}

/** A `find` for functions of one object, which is made when the first of them is called. */
export function findIn(make: () => object): (name: string) => unknown {
  let made: object | undefined;
  return (name) => {
    made ??= make();
    return made[name as never];
  };
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
