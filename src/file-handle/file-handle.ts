// The FileHandle of ioengine: a subclass of Node's own class, over descriptors that the engine opened. Node refuses
// foreign handles (instanceof, private brands), so this is what makes promises.readFile(handle), streams over a handle,
// transfer to a Worker and the rest work. Reads, writes and syncs go to the engine. Everything else is node's own
// method on the same descriptor, and so is what is not plainly well formed: node raises its own errors.

import type { FileHandle as NodeFileHandle } from 'node:fs/promises';
import { type AttributeChange, changeMode, changeOwner, changeTimes } from '../descriptor/attribute-changes';
import { wrapDescriptor } from '../descriptor/file-handle-close';
import { statHandle } from '../descriptor/fstat';
import { readHandle } from '../descriptor/read-file-job';
import { writeHandle } from '../descriptor/write-file-job';
import { afterTicks } from '../engine/after-ticks';
import {
  arePlainViews,
  CURRENT,
  isOptions,
  isPart,
  isPlainView,
  restOf,
  tryParsePosition,
  tryParseText,
  tryParseWritePosition,
} from '../engine/arguments';
import { pathsAreGuarded, startedEngine } from '../engine/engine';
import { parsedOrUndefined } from '../engine/fallback';
import { type Completion, PromiseRequest, promiseOf } from '../engine/requests';
import { countDelegated } from '../engine/stats';
import { type Addon, FLAG_TRUSTED, UNSUPPORTED } from '../native/addon';
import { type HandleParts, handleParts } from '../node/file-handle-parts';
import { READ_TAKES_BIGINT } from '../node/fs';
import { readResult } from '../node/results';
import { tellWhoReadsByEngine } from '../streams/engine-handles';
import {
  type Completions,
  type Counted,
  countedTransfer,
  type IoFileHandle,
  keepViews,
  makeCompletions,
  type NodeMethods,
} from './completions';
import { type HandleClass, handleClass, isIoFileHandle } from './handle-class';
import { keepClassInTransfer } from './transfer';
import { webStreamOf } from './web-stream';

const DEFAULT_READ_BYTES = 16384;

// What a read needs on every call, taken out of the modules once: in CommonJS an imported name is a property load.
const trusted = FLAG_TRUSTED;
const unsupported = UNSUPPORTED;
const toResult = readResult;
const settled = afterTicks;

// Set once, before the first handle exists.
let native: Addon;
let parts: HandleParts;
let node: NodeMethods;
let completions: Completions;
let fdKey: symbol;

/** A FileHandle over a descriptor that the engine has opened; undefined where node's handles have to do. */
export function fileHandleOf(fd: number): IoFileHandle | undefined {
  const found = handleParts();
  if (found === undefined) return undefined;
  const Class = handleClass(() => makeClass(found));
  return new Class(wrapDescriptor(found, fd));
}

/** True while the read of this handle is the engine's own method. */
function readsByEngine(handle: object): boolean {
  return isIoFileHandle(handle) && (handle as { read: unknown }).read === methods.read;
}

function makeClass(found: HandleParts): HandleClass {
  native = startedEngine() as Addon;
  parts = found;
  node = found.Base.prototype as unknown as NodeMethods;
  completions = makeCompletions(found);
  fdKey = found.fd;
  class FileHandle extends found.Base {}
  for (const name of Reflect.ownKeys(methods) as (keyof typeof methods)[]) {
    Object.defineProperty(FileHandle.prototype, name, {
      value: methods[name],
      writable: true,
      configurable: true,
      enumerable: false,
    });
  }
  keepClassInTransfer(found, FileHandle);
  tellWhoReadsByEngine(readsByEngine);
  return FileHandle as unknown as HandleClass;
}

/** Runs `work` with the handle counted as busy, so that its close waits. */
async function held<T>(handle: NodeFileHandle, work: () => Promise<T>): Promise<T> {
  (handle as unknown as Counted)[parts.ref]!();
  try {
    return await work();
  } finally {
    (handle as unknown as Counted)[parts.unref]!();
  }
}

function callNodeMethod(method: string, handle: object, args: unknown[], bytes?: string): Promise<unknown> {
  const result = node[method]!.apply(handle, args);
  if (bytes !== undefined) return countedTransfer(result, bytes);
  countDelegated();
  return result;
}

/** What an accepting function answered, as the promise that the method returns. */
function promiseFor(
  answer: number,
  handle: object,
  completion: Completion,
  keepAlive: unknown,
  offset: unknown,
  length: unknown,
  position: unknown,
): Promise<unknown> {
  if (answer >= 0) return settled(completion.value(answer, keepAlive));
  (handle as Counted)[parts.ref]!();
  return promiseOf(answer, new PromiseRequest(handle, completion, keepAlive, offset, length, position));
}

/** The open descriptor of a handle: -1 when it is closed, undefined for what is no handle. */
function descriptorOf(handle: object): number {
  return (handle as Record<symbol, number>)[fdKey]!;
}

// Methods that FileHandle gets. Written as methods of an object, because such functions are no constructors either.
const methods = {
  read(this: object, buffer: unknown, offset: unknown, length: unknown, position: unknown): Promise<unknown> {
    const fd = (this as Record<symbol, number>)[fdKey]!;
    if (
      typeof offset === 'number' &&
      typeof length === 'number' &&
      typeof position === 'number' &&
      isPlainView(buffer) &&
      fd >= 0 &&
      Number.isSafeInteger(position) &&
      position >= 0 &&
      offset >>> 0 === offset &&
      length > 0 &&
      (length | 0) === length &&
      offset + length <= buffer.byteLength
    ) {
      const answer = native.read(fd, buffer, offset, length, position, trusted);
      if (answer >= 0) return settled(toResult(answer, buffer));
      if (answer !== unsupported) return promiseFor(answer, this, completions.read, buffer, offset, length, position);
    }
    return readOther(this, buffer, offset, length, position);
  },

  write(this: object, buffer: unknown, offset: unknown, length: unknown, position: unknown): Promise<unknown> {
    const promise = descriptorOf(this) >= 0 ? tryWrite(this, buffer, offset, length, position) : undefined;
    return promise ?? callNodeMethod('write', this, [buffer, offset, length, position], 'bytesWritten');
  },

  readv(this: object, views: unknown, position: unknown): Promise<unknown> {
    const promise = parsedOrUndefined(() => vectored(this, 'readv', views, position, completions.readv));
    return promise ?? callNodeMethod('readv', this, [views, position], 'bytesRead');
  },

  writev(this: object, views: unknown, position: unknown): Promise<unknown> {
    const promise = parsedOrUndefined(() => vectored(this, 'writev', views, position, completions.writev));
    return promise ?? callNodeMethod('writev', this, [views, position], 'bytesWritten');
  },

  sync(this: object): Promise<unknown> {
    return synced(this, 'sync', 0, completions.sync);
  },

  datasync(this: object): Promise<unknown> {
    return synced(this, 'datasync', 1, completions.datasync);
  },

  truncate(this: object, length: unknown = 0): Promise<unknown> {
    const fd = descriptorOf(this);
    const isPlain = fd >= 0 && Number.isSafeInteger(length);
    const answer = isPlain ? native.truncate(fd, Math.max(0, length as number), FLAG_TRUSTED) : UNSUPPORTED;
    if (answer === UNSUPPORTED) return callNodeMethod('truncate', this, [length]);
    return promiseFor(answer, this, completions.truncate, undefined, undefined, length, undefined);
  },

  chmod(this: object, mode: unknown): Promise<unknown> {
    return changed(this, 'chmod', changeMode, completions.chmod, mode, undefined);
  },

  chown(this: object, user: unknown, group: unknown): Promise<unknown> {
    return changed(this, 'chown', changeOwner, completions.chown, user, group);
  },

  utimes(this: object, accessTime: unknown, modificationTime: unknown): Promise<unknown> {
    return changed(this, 'utimes', changeTimes, completions.utimes, accessTime, modificationTime);
  },

  readFile(this: NodeFileHandle, options: unknown): Promise<unknown> {
    const promise = descriptorOf(this) >= 0 ? parsedOrUndefined(() => readHandle(this, held, options)) : undefined;
    return promise ?? callNodeMethod('readFile', this, [options]);
  },

  writeFile(this: NodeFileHandle, data: unknown, options: unknown): Promise<unknown> {
    const promise = tryWriteAll(this, data, options);
    return promise ?? callNodeMethod('writeFile', this, [data, options]);
  },

  appendFile(this: NodeFileHandle, data: unknown, options: unknown): Promise<unknown> {
    const promise = tryWriteAll(this, data, options);
    return promise ?? callNodeMethod('appendFile', this, [data, options]);
  },

  stat(this: object, options: unknown): Promise<unknown> {
    const fd = descriptorOf(this);
    const fallback = (): Promise<unknown> => node.stat!.call(this, options);
    const hold = (): (() => void) => {
      (this as Counted)[parts.ref]!();
      return () => (this as Counted)[parts.unref]!();
    };
    const promise = fd >= 0 ? parsedOrUndefined(() => statHandle(fd, options, fallback, hold)) : undefined;
    return promise ?? callNodeMethod('stat', this, [options]);
  },

  createReadStream(this: object, options: unknown = undefined): unknown {
    const stream = node.createReadStream!.call(this, options) as never;
    return (require('../streams/read-stream') as typeof import('../streams/read-stream')).readAheadOf(stream, this);
  },

  readableWebStream(this: NodeFileHandle, options: unknown = undefined): unknown {
    return webStreamOf(this, options, node.readableWebStream!);
  },
};

function changed(
  handle: object,
  method: string,
  change: AttributeChange,
  completion: Completion,
  first: unknown,
  second: unknown,
): Promise<unknown> {
  const fd = descriptorOf(handle);
  const isOpen = fd >= 0 && !pathsAreGuarded();
  const answer = isOpen ? change(native, fd, first, second, FLAG_TRUSTED) : UNSUPPORTED;
  if (answer === UNSUPPORTED) return callNodeMethod(method, handle, [first, second]);
  return promiseFor(answer, handle, completion, undefined, first, second, undefined);
}

/** Getters in the options may throw: node calls them again, and its promise rejects. */
function readOther(
  handle: object,
  buffer: unknown,
  offset: unknown,
  length: unknown,
  position: unknown,
): Promise<unknown> {
  try {
    return readInOtherForm(handle, buffer, offset, length, position);
  } catch {
    return callNodeMethod('read', handle, [buffer, offset, length, position], 'bytesRead');
  }
}

/** Reads in every form but the plainest: read(), read(buffer), read(options), read(buffer, options), positions. */
function readInOtherForm(
  handle: object,
  buffer: unknown,
  offset: unknown,
  length: unknown,
  position: unknown,
): Promise<unknown> {
  const fallback = (...args: unknown[]): Promise<unknown> => callNodeMethod('read', handle, args, 'bytesRead');
  const args = [buffer, offset, length, position];
  const fd = descriptorOf(handle);
  let options: Record<string, unknown> | undefined;
  if (buffer === undefined || buffer === null) options = {};
  else if (isPlainView(buffer)) options = offset !== null && typeof offset === 'object' ? (offset as never) : undefined;
  else if (isOptions(buffer) && !ArrayBuffer.isView(buffer)) options = buffer;
  else return fallback(...args);
  if (!isPlainView(buffer)) ({ buffer = Buffer.alloc(DEFAULT_READ_BYTES) } = options!);
  if (!isPlainView(buffer) || !(fd >= 0)) return fallback(...args);
  const view = buffer;
  if (options !== undefined) {
    ({ offset = 0, length = restOf(view, offset), position = null } = options);
  }
  offset ??= 0;
  if (length === undefined && parts.lengthDefaultsToRest) length = restOf(view, offset);
  const at = typeof position === 'bigint' && !READ_TAKES_BIGINT ? CURRENT : tryParsePosition(position);
  if (at === undefined || !isPart(view, offset, length)) return fallback(...args);
  const answer = native.read(fd, view, offset as number, length as number, at, FLAG_TRUSTED);
  if (answer === UNSUPPORTED) return fallback(view, offset, length, position);
  return promiseFor(answer, handle, completions.read, view, offset, length, position);
}

// The functions below answer undefined for what node has to do.

function tryWrite(
  handle: object,
  buffer: unknown,
  offset: unknown,
  length: unknown,
  position: unknown,
): Promise<unknown> | undefined {
  try {
    const taken = typeof buffer === 'string' ? writeText : writeView;
    return taken(handle, buffer, offset, length, position);
  } catch {
    return undefined;
  }
}

function tryWriteAll(handle: NodeFileHandle, data: unknown, options: unknown): Promise<unknown> | undefined {
  return descriptorOf(handle) >= 0 ? parsedOrUndefined(() => writeHandle(handle, held, data, options)) : undefined;
}

function writeView(
  handle: object,
  view: unknown,
  offset: unknown,
  length: unknown,
  position: unknown,
): Promise<unknown> | undefined {
  if (!isPlainView(view)) return undefined;
  if (typeof offset === 'object') {
    const options = (offset ?? {}) as Record<string, unknown>;
    ({ offset = 0, length = restOf(view, offset), position = null } = options);
  }
  offset ??= 0;
  if (typeof length !== 'number') length = restOf(view, offset);
  const at = tryParseWritePosition(position);
  if (at === undefined || !isPart(view, offset, length)) return undefined;
  const answer = native.write(descriptorOf(handle), view, offset as number, length as number, at, FLAG_TRUSTED);
  if (answer === UNSUPPORTED) return undefined;
  return promiseFor(answer, handle, completions.write, view, offset, length, position);
}

function writeText(handle: object, text: unknown, position: unknown, encoding: unknown): Promise<unknown> | undefined {
  const bytes = tryParseText(text as string, encoding);
  const at = tryParseWritePosition(position);
  if (bytes === undefined || at === undefined) return undefined;
  const answer = native.write(descriptorOf(handle), bytes, 0, bytes.byteLength, at, FLAG_TRUSTED);
  if (answer === UNSUPPORTED) return undefined;
  return promiseFor(answer, handle, completions.text, { bytes, text, encoding }, undefined, undefined, position);
}

function vectored(
  handle: object,
  name: 'readv' | 'writev',
  views: unknown,
  position: unknown,
  completion: Completion,
): Promise<unknown> | undefined {
  const fd = descriptorOf(handle);
  const at = tryParseWritePosition(position);
  if (!(fd >= 0) || at === undefined || !arePlainViews(views, name)) return undefined;
  const kept = keepViews(views);
  const answer = native[name](fd, kept, at, FLAG_TRUSTED);
  return answer === UNSUPPORTED
    ? undefined
    : promiseFor(answer, handle, completion, kept, undefined, undefined, position);
}

function synced(handle: object, method: string, dataOnly: number, completion: Completion): Promise<unknown> {
  const fd = descriptorOf(handle);
  const answer = fd >= 0 ? native.sync(fd, dataOnly, FLAG_TRUSTED) : UNSUPPORTED;
  if (answer === UNSUPPORTED) return callNodeMethod(method, handle, []);
  return promiseFor(answer, handle, completion, undefined, undefined, undefined, undefined);
}
