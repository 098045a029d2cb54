// node's own stream classes with the engine's data paths in them, for `ioengine/register`. Node itself looks at the
// classes when an ES module imports node:fs: the data paths are loaded with the first stream.

import { dressed } from '../modules/build';
import { findIn, lazyFunctions } from '../modules/lazy';
import { nodeFs } from '../node/fs';
import { type StreamMethods, streamMethods } from '../node/stream-methods';
import type { StreamOperations } from './fs-operations';
import { type Functions, kHandle, kOperations } from './names';

const operationsModule = () => require('./fs-operations') as typeof import('./fs-operations');
const readModule = () => require('./read-stream') as typeof import('./read-stream');
const writeModule = () => require('./write-stream') as typeof import('./write-stream');

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
      const { StreamOperations } = operationsModule();
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
  const reading = lazyFunctions(
    'plain',
    ['_read', '_destroy'],
    findIn(() => readModule().readStreamMethods(read)),
  );
  change(nodeFs.ReadStream.prototype, { ...reading, _construct: constructed(read) });
  const writing = lazyFunctions(
    'plain',
    ['_write', '_writev', '_destroy'],
    findIn(() => writeModule().writeStreamMethods(write)),
  );
  change(nodeFs.WriteStream.prototype, { ...writing, _construct: constructed(write) });
}

function change(prototype: object, methods: Functions): void {
  for (const [name, value] of Object.entries(methods)) {
    const descriptor = Object.getOwnPropertyDescriptor(prototype, name)!;
    Object.defineProperty(prototype, name, { ...descriptor, value: dressed(value, descriptor.value) });
  }
}
