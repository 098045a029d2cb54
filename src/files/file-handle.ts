// The FileHandle of ioengine: reads, writes and syncs go to the engine, everything else is node's own method on the
// same descriptor.

import type { FileHandle as NodeFileHandle } from 'node:fs/promises';
import { type Ending, promiseOf } from '../engine/requests';
import { engine, FLAG_TRUSTED, NOT_TAKEN } from '../engine/runtime';
import { countDelegated, countDelegatedBytes } from '../engine/stats';
import { CURRENT, isPlainView, plainPosition } from '../internal/arguments';
import { rejectWithSystemError } from '../internal/errors';
import { READ_TAKES_BIGINT } from '../internal/host';
import { readResult, readvResult, writevResult, writtenResult } from '../internal/results';
import { type Addon, VECTORS_MAX } from '../native/addon';
import { type HandleParts, handleParts, wrapDescriptor } from './handle-class';
import { type Held, readHandle, writeHandle } from './whole-files';
import { webStreamOf } from '../streams/web-stream';

export type IoFileHandle = NodeFileHandle;
type AnyMethod = (...args: unknown[]) => Promise<unknown>;

const DEFAULT_READ_BYTES = 16384;

interface HandleClass {
  new (native: unknown): IoFileHandle;
}

let made: Promise<HandleClass | undefined> | undefined;

/** The class, made at the first open; undefined where node's handles have to do (see handle-class.ts). */
export function fileHandleClass(): Promise<HandleClass | undefined> {
  made ??= handleParts().then((parts) => (parts === undefined ? undefined : makeClass(parts)));
  return made;
}

/** A FileHandle over a descriptor that the engine has opened. */
export async function fileHandleOf(fd: number): Promise<IoFileHandle | undefined> {
  const parts = await handleParts();
  const Class = await fileHandleClass();
  return parts === undefined || Class === undefined ? undefined : new Class(wrapDescriptor(parts, fd));
}

function makeClass(parts: HandleParts): HandleClass {
  const { ref, unref, lengthDefaultsToRest } = parts;
  type Counted = Record<symbol, () => void>;
  // biome-ignore lint/suspicious/noExplicitAny: node's own methods, with all their overloads
  const base = parts.Base.prototype as any;
  const native = engine() as Addon;
  const held: Held = async (handle, work) => {
    (handle as unknown as Counted)[ref]!();
    try {
      return await work();
    } finally {
      (handle as unknown as Counted)[unref]!();
    }
  };

  // How the operations end: constant objects, see engine/requests.ts.
  const ending = (
    syscall: string,
    value: (result: number, subject: unknown) => unknown,
    again: (handle: IoFileHandle, subject: unknown, extra: unknown) => Promise<unknown>,
  ): Ending => ({
    value,
    failed(result, subject, owner, extra, resolve) {
      // NOT_TAKEN comes this late only for a file that turned out not to be the engine's.
      if (result === NOT_TAKEN) resolve(again(owner as IoFileHandle, subject, extra));
      else rejectWithSystemError(resolve, result, syscall);
    },
    released: (owner) => (owner as Counted)[unref]!(),
  });
  const readEnding = ending('read', readResult, (handle, buffer, [offset, length, position]: any) =>
    counted(base.read.call(handle, buffer, offset, length, position), 'bytesRead'),
  );
  const writeEnding = ending('write', writtenResult, (handle, buffer, [offset, length, position]: any) =>
    counted(base.write.call(handle, buffer, offset, length, position), 'bytesWritten'),
  );
  const stringEnding = ending(
    'write',
    (result, subject) => writtenResult(result, (subject as { text: string }).text),
    (handle, { text, position, encoding }: any) =>
      counted(base.write.call(handle, text, position, encoding), 'bytesWritten'),
  );
  const readvEnding = ending('read', readvResult, (handle, views, position) =>
    counted(base.readv.call(handle, views, position), 'bytesRead'),
  );
  const writevEnding = ending('write', writevResult, (handle, views, position) =>
    counted(base.writev.call(handle, views, position), 'bytesWritten'),
  );
  const syncEnding = ending('fsync', noValue, (handle) => base.sync.call(handle));
  const datasyncEnding = ending('fdatasync', noValue, (handle) => base.datasync.call(handle));

  function delegate(method: string, handle: IoFileHandle, args: unknown[], bytes?: string): Promise<unknown> {
    const result = (base[method] as AnyMethod).apply(handle, args);
    return bytes === undefined ? (countDelegated(), result) : counted(result, bytes);
  }

  /** What an accepting function answered, as the promise that the method returns. */
  function promised(
    answer: number,
    handle: IoFileHandle,
    subject: unknown,
    extra: unknown,
    how: Ending,
  ): Promise<unknown> {
    if (answer >= 0) return Promise.resolve(how.value(answer, subject));
    if (answer > NOT_TAKEN) {
      return new Promise((resolve) => how.failed(answer, subject, handle, extra, resolve));
    }
    (handle as unknown as Counted)[ref]!();
    return promiseOf(answer, subject, handle, extra, how);
  }

  class FileHandle extends parts.Base {
    override read(...args: unknown[]): never;
    override read(buffer?: unknown, offset?: unknown, length?: unknown, position?: unknown): unknown {
      const { fd } = this;
      if (
        typeof offset === 'number' &&
        typeof length === 'number' &&
        typeof position === 'number' &&
        isPlainView(buffer) &&
        fd >= 0 &&
        Number.isSafeInteger(position) &&
        position >= 0 &&
        (offset >>> 0) === offset &&
        length > 0 &&
        (length | 0) === length &&
        offset + length <= buffer.byteLength
      ) {
        const answer = native.read(fd, buffer, offset, length, position, FLAG_TRUSTED);
        if (answer >= 0) return Promise.resolve(readResult(answer, buffer));
        if (answer !== NOT_TAKEN) {
          return promised(answer, this as never, buffer, answer > NOT_TAKEN ? undefined : [offset, length, position], readEnding);
        }
      }
      // biome-ignore lint/complexity/noArguments: the number of arguments is part of the call
      return readOther(this as never, buffer, offset, length, position, arguments as unknown as unknown[]);
    }

    override write(...args: unknown[]): never;
    override write(buffer?: unknown, offset?: unknown, length?: unknown, position?: unknown): unknown {
      const { fd } = this;
      // biome-ignore lint/complexity/noArguments: the number of arguments is part of the call
      const args = arguments as unknown as unknown[];
      if (fd < 0) return delegate('write', this as never, [...args]);
      if (typeof buffer === 'string') return writeString(this as never, fd, buffer, offset, length, args);
      if (!isPlainView(buffer) || buffer.byteLength === 0) return delegate('write', this as never, [...args]);
      if (typeof offset === 'object' && offset !== null) {
        ({ offset = 0, length = buffer.byteLength - (offset as unknown as number), position = null } = offset as Record<string, unknown>);
      }
      offset ??= 0;
      if (typeof length !== 'number') length = buffer.byteLength - (offset as number);
      const at = typeof position === 'number' ? plainPosition(position) : CURRENT;
      if (at === undefined || !fits(buffer, offset, length) || length === 0) return delegate('write', this as never, [...args], 'bytesWritten');
      const answer = native.write(fd, buffer, offset as number, length as number, at, FLAG_TRUSTED);
      if (answer === NOT_TAKEN) return delegate('write', this as never, [...args], 'bytesWritten');
      return promised(answer, this as never, buffer, [offset, length, position], writeEnding);
    }

    override readv(...args: unknown[]): never;
    override readv(views?: unknown, position?: unknown): unknown {
      const at = typeof position === 'number' ? plainPosition(position) : CURRENT;
      if (this.fd >= 0 && at !== undefined && arePlainViews(views)) {
        const answer = native.readv(this.fd, views, at, FLAG_TRUSTED);
        if (answer !== NOT_TAKEN) return promised(answer, this as never, views, position, readvEnding);
      }
      return delegate('readv', this as never, [views, position], 'bytesRead');
    }

    override writev(...args: unknown[]): never;
    override writev(views?: unknown, position?: unknown): unknown {
      const at = typeof position === 'number' ? plainPosition(position) : CURRENT;
      if (this.fd >= 0 && at !== undefined && arePlainViews(views)) {
        const answer = native.writev(this.fd, views, at, FLAG_TRUSTED);
        if (answer !== NOT_TAKEN) return promised(answer, this as never, views, position, writevEnding);
      }
      return delegate('writev', this as never, [views, position], 'bytesWritten');
    }

    override sync(): Promise<void> {
      return syncWith(this as never, 'sync', 0, syncEnding);
    }

    override datasync(): Promise<void> {
      return syncWith(this as never, 'datasync', 1, datasyncEnding);
    }

    override readFile(options?: unknown): never {
      return readHandle(this as never, held, options, () => delegate('readFile', this as never, [options])) as never;
    }

    override writeFile(data: unknown, options?: unknown): never {
      return writeHandle(this as never, held, data, options, () => delegate('writeFile', this as never, [data, options])) as never;
    }

    override appendFile(data: unknown, options?: unknown): never {
      return writeHandle(this as never, held, data, options, () => delegate('appendFile', this as never, [data, options])) as never;
    }

    override readableWebStream(options: unknown = undefined): never {
      return webStreamOf(this as never, options, () => base.readableWebStream.call(this, options)) as never;
    }
  }

  function readOther(
    handle: IoFileHandle,
    buffer: unknown,
    offset: unknown,
    length: unknown,
    position: unknown,
    args: unknown[],
  ): Promise<unknown> {
    const asked = [...args];
    if (handle.fd < 0) return delegate('read', handle, asked);
    if (!isPlainView(buffer)) {
      if (buffer !== undefined && buffer !== null && (typeof buffer !== 'object' || ArrayBuffer.isView(buffer))) {
        return delegate('read', handle, asked, 'bytesRead');
      }
      const options = (buffer ?? {}) as Record<string, unknown>;
      const { buffer: view = Buffer.alloc(DEFAULT_READ_BYTES) } = options;
      buffer = view;
      if (!isPlainView(buffer)) return delegate('read', handle, asked, 'bytesRead');
      ({ offset = 0, length = buffer.byteLength - (offset as number), position = null } = options);
    } else if (offset !== null && typeof offset === 'object') {
      ({ offset = 0, length = buffer.byteLength - (offset as unknown as number), position = null } = offset as Record<string, unknown>);
    }
    offset ??= 0;
    if (length === undefined && lengthDefaultsToRest) length = (buffer as Buffer).byteLength - (offset as number);
    const at = typeof position === 'bigint' && !READ_TAKES_BIGINT ? CURRENT : plainPosition(position);
    if (at === undefined || !fits(buffer as Buffer, offset, length) || length === 0) {
      return delegate('read', handle, asked, 'bytesRead');
    }
    const answer = native.read(handle.fd, buffer as Buffer, offset as number, length as number, at, FLAG_TRUSTED);
    if (answer === NOT_TAKEN) return counted(base.read.call(handle, buffer, offset, length, position), 'bytesRead');
    return promised(answer, handle, buffer, [offset, length, position], readEnding);
  }

  function writeString(
    handle: IoFileHandle,
    fd: number,
    text: string,
    position: unknown,
    encoding: unknown,
    args: unknown[],
  ): Promise<unknown> {
    const known = encoding === undefined || encoding === null || Buffer.isEncoding(encoding as string);
    const at = typeof position === 'number' ? plainPosition(position) : CURRENT;
    if (!known || at === undefined || text.length === 0) return delegate('write', handle, [...args], 'bytesWritten');
    const bytes = Buffer.from(text, (encoding ?? 'utf8') as BufferEncoding);
    // An odd number of hex digits and the like: node words the error, or writes nothing.
    if (bytes.byteLength === 0) return delegate('write', handle, [...args], 'bytesWritten');
    const answer = native.write(fd, bytes, 0, bytes.byteLength, at, FLAG_TRUSTED);
    if (answer === NOT_TAKEN) return delegate('write', handle, [...args], 'bytesWritten');
    return promised(answer, handle, { bytes, text, position, encoding }, undefined, stringEnding);
  }

  function syncWith(handle: IoFileHandle, method: string, dataOnly: number, how: Ending): Promise<void> {
    const answer = handle.fd < 0 ? NOT_TAKEN : native.sync(handle.fd, dataOnly, FLAG_TRUSTED);
    if (answer === NOT_TAKEN) return delegate(method, handle, []) as Promise<void>;
    return promised(answer, handle, undefined, undefined, how) as Promise<void>;
  }

  return FileHandle as unknown as HandleClass;
}

function noValue(): undefined {
  return undefined;
}

function counted(result: Promise<unknown>, bytes: string): Promise<unknown> {
  countDelegated();
  result.then((value) => countDelegatedBytes((value as Record<string, number>)[bytes] ?? 0), noValue);
  return result;
}

function fits(buffer: NodeJS.ArrayBufferView, offset: unknown, length: unknown): boolean {
  return (
    Number.isInteger(offset) &&
    Number.isInteger(length) &&
    (offset as number) >= 0 &&
    (length as number) >= 0 &&
    (length as number) <= 0x7fffffff &&
    (offset as number) + (length as number) <= buffer.byteLength &&
    buffer.byteLength <= 0xffffffff
  );
}

/** Views that make one vectored operation: at least one byte, and no more of them than the kernel takes at once. */
export function arePlainViews(views: unknown): views is NodeJS.ArrayBufferView[] {
  if (!Array.isArray(views) || views.length === 0 || views.length > VECTORS_MAX) return false;
  let bytes = 0;
  for (const view of views) {
    if (!isPlainView(view)) return false;
    bytes += view.byteLength;
  }
  return bytes > 0;
}
