// ReadStream and WriteStream of `ioengine/fs`: node's own classes, constructed over our operations, with a data path of
// the engine's. Functions, because node's can be called without `new`, and on objects of older subclasses. An ES module
// that imports ioengine/fs holds them even if it never streams: what a stream needs is loaded with the first one.

import type { ReadStream as NodeReadStream, WriteStream as NodeWriteStream } from 'node:fs';
import type { Direct } from '../descriptor/open';
import { findIn, lazyFunctions } from '../modules/lazy';
import { nodeFs } from '../node/fs';
import type { StreamOperations } from './fs-operations';
import { inheritLater } from './late-inheritance';
import { type Functions, kHandle, kOperations } from './names';

type StreamConstructor<T> = new (path: unknown, options?: unknown) => T;

export interface StreamClasses {
  ReadStream: StreamConstructor<NodeReadStream>;
  WriteStream: StreamConstructor<NodeWriteStream>;
}

type Options = Record<string, unknown>;

/** Options as node's class takes them, with our operations for `fs` where node's own would be used. */
function withOperations(
  options: unknown,
  defaultFlags: string,
  make: (direct: Direct | undefined, flags: unknown, writeBehind?: number) => StreamOperations,
  live: Functions,
): { options: unknown; operations: StreamOperations | undefined } {
  let copy: Options;
  if (options === undefined || options === null || typeof options === 'function') copy = {};
  else if (typeof options === 'string') copy = { encoding: options };
  else if (typeof options !== 'object') return { options, operations: undefined };
  else {
    copy = {};
    // As node copies them: inherited ones too.
    for (const key in options) copy[key] = (options as Options)[key];
  }
  const writeBehind = defaultFlags === 'w' ? checkedWriteBehind(copy.writeBehind) : undefined;
  // A FileHandle calls its own methods, and the caller's functions are the caller's.
  const foreign = (copy.fs && copy.fs !== live) || (typeof copy.fd === 'object' && copy.fd !== null);
  if (foreign) return { options: copy, operations: undefined };
  const direct = copy.direct === true || copy.direct === 'try' ? copy.direct : undefined;
  const operations = make(direct, copy.flags ?? defaultFlags, writeBehind);
  copy.fs = operations;
  return { options: copy, operations };
}

/** The option `writeBehind` of a WriteStream: a whole number of bytes above 0, where there is one. */
function checkedWriteBehind(value: unknown): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) return value;
  const { wrongNumber } = require('../node/argument-errors') as typeof import('../node/argument-errors');
  throw wrongNumber('options.writeBehind', value, 1);
}

function remember(stream: object, operations: StreamOperations | undefined): void {
  if (operations !== undefined) Object.defineProperty(stream, kOperations, { value: operations });
}

/** Node's class has checked the options: an object in `fd` is a FileHandle. */
function rememberHandle(stream: object, options: unknown): void {
  const { fd } = (options ?? {}) as Options;
  if (typeof fd === 'object' && fd !== null) Object.defineProperty(stream, kHandle, { value: fd });
}

// biome-ignore lint/suspicious/noExplicitAny: functions that act as classes
type AnyClass = any;

const operationsModule = () => require('./fs-operations') as typeof import('./fs-operations');
const nodeMethodsModule = () => require('../node/stream-methods') as typeof import('../node/stream-methods');
const readModule = () => require('./read-stream') as typeof import('./read-stream');
const writeModule = () => require('./write-stream') as typeof import('./write-stream');

/** How many parameters node's methods have: their `length`. */
const PARAMETERS: Record<string, number> = { _read: 1, _write: 3, _writev: 2, _destroy: 2 };

/** Methods in front of node's, loaded at the first call of one. */
function putMethods(Class: AnyClass, names: string[], load: () => object): void {
  for (const [name, value] of Object.entries(lazyFunctions('plain', names, findIn(load)))) {
    Object.defineProperty(value as object, 'length', { value: PARAMETERS[name], configurable: true });
    Object.defineProperty(Class.prototype, name, { value, writable: true, enumerable: true, configurable: true });
  }
}

/** The classes over one live module; `unpatched` holds its functions as they were made. */
export function makeStreamClasses(live: Functions, unpatched: Functions): StreamClasses {
  const make = (direct: Direct | undefined, flags: unknown, writeBehind?: number) => {
    const { StreamOperations } = operationsModule();
    return new StreamOperations(live, unpatched, direct, flags, writeBehind);
  };

  function ReadStream(this: unknown, path: unknown, options: unknown): unknown {
    if (!(this instanceof (ReadStream as AnyClass))) return new (ReadStream as AnyClass)(path, options);
    const withOurs = withOperations(options, 'r', make, live);
    Reflect.apply(nodeRead(), this, [path, withOurs.options]);
    remember(this as object, withOurs.operations);
    if (withOurs.operations === undefined) rememberHandle(this as object, withOurs.options);
    return undefined;
  }
  const nodeRead = inheritLater(ReadStream, () => nodeFs.ReadStream);
  putMethods(ReadStream, ['_read', '_destroy'], () =>
    readModule().readStreamMethods(nodeMethodsModule().streamMethods('ReadStream')),
  );

  function WriteStream(this: unknown, path: unknown, options: unknown): unknown {
    if (!(this instanceof (WriteStream as AnyClass))) return new (WriteStream as AnyClass)(path, options);
    const withOurs = withOperations(options, 'w', make, live);
    const NodeWrite = nodeWrite();
    Reflect.apply(NodeWrite, this, [path, withOurs.options]);
    remember(this as object, withOurs.operations);
    return undefined;
  }
  const nodeWrite = inheritLater(WriteStream, () => nodeFs.WriteStream);
  putMethods(WriteStream, ['_write', '_writev', '_destroy'], () =>
    writeModule().writeStreamMethods(nodeMethodsModule().streamMethods('WriteStream')),
  );

  return { ReadStream, WriteStream } as unknown as StreamClasses;
}
