// node's own stream classes with the engine's data paths in them, for `ioengine/register`.

import { dressed } from '../modules/build';
import { nodeFs } from '../node/fs';
import { type StreamMethods, streamMethods } from '../node/stream-methods';
import { StreamOperations } from './fs-operations';
import { type Functions, kHandle, kOperations } from './names';
import { readStreamMethods } from './read-stream';
import { writeStreamMethods } from './write-stream';

interface NodeStream {
  flags: unknown;
  [kOperations]?: StreamOperations;
  [kHandle]?: unknown;
}

/** Symbols of node's by their descriptions: where a stream keeps the module that it calls, and its FileHandle. */
const nodeKeys: Record<string, symbol | undefined> = {};

function nodeKey(stream: object, name: 'kFs' | 'kHandle'): symbol | undefined {
  nodeKeys[name] ??= Object.getOwnPropertySymbols(stream).find(({ description }) => description === name);
  return nodeKeys[name];
}

/** `unpatched`: the functions that a stream calls, as they were put into `live`. */
export function changeClasses(live: Functions, unpatched: Functions): void {
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
