// A class that inherits from one of node's without loading it. Looking at node's stream classes makes node load all of
// its streams, which costs a third of what an import may; every ES module that imports ioengine/fs holds our classes,
// and few make a stream.

// biome-ignore lint/suspicious/noExplicitAny: functions that act as classes
type AnyClass = any;

/**
 * Puts `base()` behind `Class`, as `class Class extends Base` would, when it is first needed: stand-ins in both
 * prototype chains, the objects' and the statics', wait for the first question and then give way to the real ones. The
 * function that is answered asks that question, for the constructor.
 */
export function inheritLater(Class: AnyClass, base: () => AnyClass): () => AnyClass {
  const { prototype } = Class;
  let found: AnyClass;
  const settle = (): AnyClass => {
    if (found === undefined) {
      found = base();
      replace(prototype, forObjects, found.prototype);
      replace(Class, forStatics, found);
    }
    return found;
  };
  const forObjects = standIn(Object.create(null), () => settle().prototype);
  // Callable: what Node 20 says a function is, `[object Function]`, it takes from a proxy that it finds on the way.
  const forStatics = standIn(() => undefined, settle);
  Object.setPrototypeOf(prototype, forObjects);
  Object.setPrototypeOf(Class, forStatics);
  return settle;
}

/** Not where a program has put in a prototype of its own. */
function replace(object: object, expected: object, prototype: object): void {
  if (Object.getPrototypeOf(object) === expected) Object.setPrototypeOf(object, prototype);
}

/** An object for a prototype chain: whatever is done to it is done to `real()`. */
function standIn(target: object, real: () => object): object {
  return new Proxy(target, {
    get: (_target, key, receiver) => Reflect.get(real(), key, receiver),
    set: (_target, key, value, receiver) => Reflect.set(real(), key, value, receiver),
    has: (_target, key) => Reflect.has(real(), key),
    // instanceof, isPrototypeOf and for...in hold the stand-in already when they get here: what it stands for comes
    // next.
    getPrototypeOf: real,
  });
}
