// node's own stream classes on the engine, for `ioengine/register`: the classes stay what they are, and streams that
// would call node:fs call it through our operations, with the engine's data path where it serves the file.

import { dressed } from '../modules/build';
import { CLASS_NAMES, type Functions, STREAM_CALLS } from './names';

type Accessor = { get?: () => unknown; set?: (value: unknown) => void };

/**
 * Puts the engine behind createReadStream, createWriteStream and the stream classes of `live`, which is node:fs itself.
 * Node loads its streams when a program makes the first one; so the classes are changed no sooner than that.
 */
export function serveStreamsInPlace(live: object): void {
  const module_ = live as Functions;
  const unpatched = Object.fromEntries(STREAM_CALLS.map((name) => [name, module_[name]]));
  let isDone = false;
  const ensure = (): void => {
    if (isDone) return;
    isDone = true;
    const { changeClasses } = require('./classes-in-place') as typeof import('./classes-in-place');
    changeClasses(module_, unpatched);
  };

  for (const name of CLASS_NAMES) {
    const descriptor = Object.getOwnPropertyDescriptor(module_, name);
    if (descriptor?.get === undefined) continue;
    const { get, set } = accessorOf(descriptor, ensure);
    Object.defineProperty(module_, name, { ...descriptor, get, set });
  }
  for (const name of ['createReadStream', 'createWriteStream'] as const) {
    const nodeCreate = module_[name] as (path: unknown, options: unknown) => unknown;
    // A function, not an arrow: node's can be called with `new`.
    function create(path: unknown, options: unknown): unknown {
      ensure();
      return nodeCreate(path, options);
    }
    const descriptor = Object.getOwnPropertyDescriptor(module_, name);
    Object.defineProperty(module_, name, { ...descriptor, value: dressed(create, nodeCreate) });
  }
}

/** What a program puts in the place of a class is node's to keep, and what it then finds there node's to say. */
function accessorOf(node: Accessor, ensure: () => void): Accessor {
  const { accessor } = {
    accessor: {
      get(this: unknown): unknown {
        ensure();
        return node.get!.call(this);
      },
      set(this: unknown, value: unknown): void {
        ensure();
        node.set!.call(this, value);
      },
    },
  };
  return {
    get: dressed(accessor.get, node.get) as Accessor['get'],
    set: node.set === undefined ? undefined : (dressed(accessor.set, node.set) as Accessor['set']),
  };
}
