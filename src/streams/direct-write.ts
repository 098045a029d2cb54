// How a WriteStream with O_DIRECT writes: whole aligned blocks straight to the device, whatever sizes the program
// writes. Bytes behind the last whole block (at most 4,095) wait for the next write, the end or the destruction of the
// stream; their write callbacks have run by then, and an error of theirs is the stream's error.
//
// Extending writes go one vectored operation at a time, so that what is in the file is always a prefix. Only where the
// range lies inside the file (r+ with a start) are several in flight.

import type { WriteStream } from 'node:fs';
import { resultOf } from '../engine/requests';
import { NOT_TAKEN } from '../engine/runtime';
import { isPlainView } from '../internal/arguments';
import { systemErrorWithoutFrames } from '../internal/errors';
import { hostFs } from '../internal/host';
import { type Addon, VECTORS_MAX } from '../native/addon';
import type { StreamOperations } from './operations';

const BLOCK = 4096;
/** One of several overwrites in flight; what they all hold is the highWaterMark of the stream. */
const OVERWRITE_BYTES = 1024 * 1024;

type Callback = (error?: unknown) => void;
type Piece = { chunk: Uint8Array };

interface WritingStream extends Omit<WriteStream, 'fd'> {
  fd: number | null;
  flags: unknown;
  pos: number | undefined;
  start: number | undefined;
  bytesWritten: number;
}

interface HostMethods {
  _write(chunk: Uint8Array, encoding: string, callback: Callback): void;
  _writev(pieces: Piece[], callback: Callback): void;
  _destroy(error: unknown, callback: Callback): void;
}

class DirectWriter {
  private carry: Uint8Array = Buffer.alloc(0);
  private position: number;
  private readonly size: number;
  private failed = false;

  constructor(
    private readonly native: Addon,
    private readonly fd: number,
    private readonly stream: WritingStream,
  ) {
    this.position = stream.start ?? 0;
    this.size = hostFs.fstatSync(fd).size;
  }

  /** Writes what makes whole blocks and keeps the rest. Throws node's error. */
  async write(chunks: Uint8Array[]): Promise<void> {
    let views = this.carry.length > 0 ? [this.carry, ...chunks] : chunks;
    let total = views.reduce((sum, view) => sum + view.byteLength, 0);
    const misaligned = this.position % BLOCK;
    const head = misaligned === 0 ? 0 : Math.min(BLOCK - misaligned, total);
    this.carry = Buffer.alloc(0);
    if (head > 0) {
      const [first, rest] = split(views, head);
      await this.writeRange(first, head);
      [views, total] = [rest, total - head];
    }
    const [blocks, rest] = split(views, total - (total % BLOCK));
    await this.writeBlocks(blocks, total - (total % BLOCK));
    // A copy: the program may reuse its memory once its callback has run.
    this.carry = Buffer.concat(rest);
  }

  /** Writes what is kept. */
  async flush(): Promise<void> {
    const { carry } = this;
    this.carry = Buffer.alloc(0);
    if (carry.length > 0 && !this.failed) await this.writeRange([carry], carry.length);
  }

  private async writeBlocks(views: Uint8Array[], bytes: number): Promise<void> {
    const inside = this.position + bytes <= this.size;
    if (!inside || bytes <= OVERWRITE_BYTES) return this.writeRange(views, bytes);
    const writes: Promise<number>[] = [];
    const start = this.position;
    for (let at = 0, rest = views; at < bytes; at += OVERWRITE_BYTES) {
      const size = Math.min(OVERWRITE_BYTES, bytes - at);
      const [part, after] = split(rest, size);
      rest = after;
      writes.push(this.writeAt(part, size, start + at));
    }
    const results = await Promise.allSettled(writes);
    for (const result of results) {
      if (result.status === 'rejected') throw result.reason;
      this.advance(result.value);
    }
  }

  private async writeRange(views: Uint8Array[], bytes: number): Promise<void> {
    if (bytes > 0) this.advance(await this.writeAt(views, bytes, this.position));
  }

  private advance(bytes: number): void {
    this.position += bytes;
    this.stream.bytesWritten += bytes;
    if (this.stream.pos !== undefined) this.stream.pos = this.position;
  }

  /** Writes all of it, or throws. */
  private async writeAt(views: Uint8Array[], bytes: number, position: number): Promise<number> {
    let rest = views;
    let done = 0;
    while (done < bytes) {
      const some = rest.length > VECTORS_MAX ? rest.slice(0, VECTORS_MAX) : rest;
      const answer = this.native.writev(this.fd, some, position + done, 0);
      const result = await resultOf(answer, some);
      if (result <= 0) {
        this.failed = true;
        throw systemErrorWithoutFrames(result === 0 || result === NOT_TAKEN ? EIO : result, 'write');
      }
      done += result;
      [, rest] = split(rest, result);
    }
    return done;
  }
}

const EIO = -5;

/** The first `bytes` of the views, and the rest. */
function split(views: Uint8Array[], bytes: number): [Uint8Array[], Uint8Array[]] {
  const first: Uint8Array[] = [];
  let left = bytes;
  for (let index = 0; index < views.length; index++) {
    const view = views[index]!;
    if (left < view.byteLength) {
      if (left > 0) first.push(view.subarray(0, left));
      return [first, [view.subarray(left), ...views.slice(index + 1)]];
    }
    if (view.byteLength > 0) first.push(view);
    left -= view.byteLength;
  }
  return [first, []];
}

/** Memory that can shrink under the kernel (H9) is copied. */
function fixed(chunk: Uint8Array): Uint8Array {
  return isPlainView(chunk) ? chunk : Buffer.from(chunk);
}

function destroyedError(): Error {
  const error = new Error('Cannot call write after a stream was destroyed');
  return Object.assign(error, { code: 'ERR_STREAM_DESTROYED' });
}

/** Gives one stream that was asked to be direct the methods above, in place of node's. */
export function giveDirectPath(stream: WritingStream, operations: StreamOperations, host: HostMethods): void {
  let writer: DirectWriter | null | undefined;
  let running: Promise<void> | undefined;

  /** Null where node's methods do: not direct after all, shared descriptors, appends (they are never direct). */
  function current(): DirectWriter | null {
    if (writer !== undefined) return writer;
    const native = operations.engineFor('writev');
    const { fd } = stream;
    const takes = native !== undefined && fd !== null && fd === operations.ownFd && operations.writesDirect(fd);
    writer = takes ? new DirectWriter(native, fd, stream) : null;
    return writer;
  }

  function run(work: Promise<void>, callback: Callback): void {
    const finished = (error?: unknown): void => {
      running = undefined;
      process.nextTick(callback, stream.destroyed ? (error ?? destroyedError()) : error);
    };
    running = work.then(() => finished(), finished);
  }

  const methods = {
    _write(chunk: Uint8Array, encoding: string, callback: Callback): void {
      const direct = current();
      if (direct === null) host._write.call(stream, fixed(chunk), encoding, callback);
      else run(direct.write([fixed(chunk)]), callback);
    },
    _writev(pieces: Piece[], callback: Callback): void {
      const direct = current();
      if (direct === null) host._writev.call(stream, pieces, callback);
      else run(direct.write(pieces.map((piece) => fixed(piece.chunk))), callback);
    },
    _final(callback: Callback): void {
      if (!writer) callback();
      else run(writer.flush(), callback);
    },
    _destroy(error: unknown, callback: Callback): void {
      if (!writer) {
        host._destroy.call(stream, error, callback);
        return;
      }
      const close = (failure?: unknown): void => {
        process.nextTick(() => host._destroy.call(stream, error ?? failure ?? null, callback));
      };
      const kept = writer;
      (running ?? Promise.resolve()).then(() => kept.flush()).then(() => close(), close);
    },
  };
  for (const [name, value] of Object.entries(methods)) {
    Object.defineProperty(stream, name, { value, writable: true, enumerable: false, configurable: true });
  }
}
