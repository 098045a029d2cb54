// node's own stream classes on the engine, for `ioengine/register`: the classes stay what they are, and streams that
// would call node:fs call it through our operations, with the engine's data path where it serves the file.

import { dressed } from '../modules/build';
import { nodeFs } from '../node/fs';
import { type StreamMethods, streamMethods } from '../node/stream-methods';
import { StreamOperations } from './fs-operations';
import { CLASS_NAMES, type Functions, kHandle, kOperations, STREAM_CALLS } from './names';
import { readStreamMethods } from './read-stream';
import { writeStreamMethods } from './write-stream';

interface NodeStream {
  flags: unknown;
  [kOperations]?: StreamOperations;
  [kHandle]?: unknown;
}

type Accessor = { get?: () => unknown; set?: (value: unknown) => void };

/** Symbols of node's by their descriptions: where a stream keeps the module that it calls, and its FileHandle. */
const nodeKeys: Record<string, symbol | undefined> = {};

function nodeKey(stream: object, name: 'kFs' | 'kHandle'): symbol | undefined {
  nodeKeys[name] ??= Object.getOwnPropertySymbols(stream).find(({ description }) => description === name);
  return nodeKeys[name];
}

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

function changeClasses(live: Functions, unpatched: Functions): void {
  const read = streamMethods('ReadStream');
  const write = streamMethods('WriteStream');

  /** Gives our operations to a stream that would call node:fs. One with a FileHandle calls that. */
  function adopt(stream: NodeStream): void {
    const key = nodeKey(stream, 'kFs');
    const kept = stream as unknown as Record<symbol, unknown>;
    if (key === undefined || stream[kOperations] !== undefined) return;
    if (kept[key] === live) {
      const operations = new StreamOperations(live, unpatched, undefined, stream.flags);
      kept[key] = operations;
      Object.defineProperty(stream, kOperations, { value: operations });
    } else if (stream[kHandle] === undefined) {
      const handle = kept[nodeKey(stream, 'kHandle') ?? kHandle];
      if (handle !== undefined) Object.defineProperty(stream, kHandle, { value: handle });
    }
  }

  // Nothing has been called by then: node constructs a stream's file in the next tick.
  const constructed = (node: StreamMethods): StreamMethods['_construct'] =>
    function _construct(this: NodeStream, callback: () => void): void {
      adopt(this);
      node._construct.call(this as never, callback);
    };
  change(nodeFs.ReadStream.prototype, {
    ...readStreamMethods(read),
    _construct: constructed(read),
  } as Partial<StreamMethods>);
  change(nodeFs.WriteStream.prototype, {
    ...writeStreamMethods(write),
    _construct: constructed(write),
  } as Partial<StreamMethods>);
}

function change(prototype: object, methods: Partial<StreamMethods>): void {
  for (const [name, value] of Object.entries(methods)) {
    const descriptor = Object.getOwnPropertyDescriptor(prototype, name)!;
    Object.defineProperty(prototype, name, { ...descriptor, value: dressed(value, descriptor.value) });
  }
}
