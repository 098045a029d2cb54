// createReadStream, createWriteStream and the stream classes of `ioengine/fs`. Nothing of node's stream code is loaded
// before the first stream is made: it would add half again to the time of an import.

import { makeStreamClasses, type StreamClasses } from './classes';
import { CLASS_NAMES, type Functions, STREAM_CALLS } from './names';

/**
 * Puts the stream functions and classes into a module that has been built from node:fs and holds the engine's other
 * functions already. `live` is the object that programs see and may patch.
 */
export function putStreamsInto(live: object): void {
  const module_ = live as Functions;
  const unpatched = Object.fromEntries(STREAM_CALLS.map((name) => [name, module_[name]]));
  let made: StreamClasses | undefined;
  const replaced: Partial<Record<(typeof CLASS_NAMES)[number], unknown>> = {};

  function classOf(name: (typeof CLASS_NAMES)[number]): unknown {
    if (Object.hasOwn(replaced, name)) return replaced[name];
    made ??= makeStreamClasses(module_, unpatched);
    return name.endsWith('ReadStream') ? made.ReadStream : made.WriteStream;
  }

  for (const name of CLASS_NAMES) {
    const descriptor = Object.getOwnPropertyDescriptor(module_, name);
    if (descriptor === undefined) continue;
    const accessor = {
      get: () => classOf(name),
      set: (value: unknown) => {
        replaced[name] = value;
      },
    };
    named(accessor.get, descriptor.get?.name ?? 'get');
    named(accessor.set, descriptor.set?.name ?? 'set');
    Object.defineProperty(module_, name, {
      ...accessor,
      configurable: descriptor.configurable,
      enumerable: descriptor.enumerable,
    });
  }

  // Functions, not arrows: node's can be called with `new`.
  put(module_, 'createReadStream', function createReadStream(path: unknown, options: unknown): unknown {
    return new (classOf('ReadStream') as new (path: unknown, options: unknown) => unknown)(path, options);
  });
  put(module_, 'createWriteStream', function createWriteStream(path: unknown, options: unknown): unknown {
    return new (classOf('WriteStream') as new (path: unknown, options: unknown) => unknown)(path, options);
  });
}

function named(target: object, name: string): void {
  Object.defineProperty(target, 'name', { value: name, configurable: true });
}

function put(module_: Functions, name: string, value: unknown): void {
  Object.defineProperty(module_, name, { ...Object.getOwnPropertyDescriptor(module_, name), value });
}
