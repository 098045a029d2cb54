// How a WriteStream writes: _write, _writev and _destroy in front of node's own, and _final once there is something to
// wait for. By default node's methods do the work, over the engine's functions (fs-operations.ts): a chunk is
// acknowledged when the kernel has it. Two kinds of stream differ. With O_DIRECT what is no whole block goes apart from
// what is (direct-writes.ts). With `writeBehind` chunks are acknowledged once they are in memory (write-buffer.ts), and
// only who gives a callback, or waits for 'finish', is told when they are in the file:
// docs/decisions/0006-write-buffering.md.

import type { WriteStream } from 'node:fs';
import { Writable } from 'node:stream';
import { nextTick, nodeFs } from '../node/fs';
import type { StreamMethods } from '../node/stream-methods';
import { writeInBlocks } from './direct-writes';
import type { StreamOperations } from './fs-operations';
import { areSmall, type Piece, writeGathered } from './gathered-writes';
import { kOperations } from './names';
import { BLOCK } from './stream-memory';
import { WriteBuffer } from './write-buffer';

const kWriter: unique symbol = Symbol('writer');
const CURRENT = -1;
/** Buffered chunks from this size on are written from where they are: copying them costs more than it saves. */
const LARGE_BYTES = 512 * 1024;
/** The memory of one stream, whatever its option says: no more than this helps. */
const BUFFER_BYTES_MAX = 64 * 1024 * 1024;
/** With O_DIRECT less than this would only cut blocks apart. */
const DIRECT_BUFFER_BYTES_MIN = 64 * 1024;

type Callback = (error?: unknown) => void;

interface WritingStream extends Omit<WriteStream, 'fd' | '_final'> {
  fd: number | null;
  flags: unknown;
  pos: number | undefined;
  autoClose: boolean;
  bytesWritten: number;
  _writableState: { writecb?: unknown };
  _final?: (callback: Callback) => void;
  [kOperations]?: StreamOperations;
  /** 'blocks': O_DIRECT. Null: node's methods do it all. */
  [kWriter]?: Writer | 'blocks' | null;
}

/** What node keeps as the callback of a write that came without one. */
function findNoCallback(): unknown {
  let found: unknown;
  const probe = new Writable({
    write(_chunk, _encoding, done) {
      found = (probe as unknown as WritingStream)._writableState.writecb;
      done();
    },
  });
  probe.write('x');
  return typeof found === 'function' ? found : undefined;
}

let noCallback: unknown;

/** Node's error for a write that met the destruction of its stream. */
function destroyedError(): Promise<unknown> {
  const destroyed = new Writable().on('error', () => {}).destroy();
  return new Promise((resolve) => destroyed.write('x', resolve));
}

/** The write buffer of one stream, and the one write that waits for room in it. */
class Writer {
  readonly buffer: WriteBuffer;
  private waiting = false;

  constructor(
    private readonly stream: WritingStream,
    operations: StreamOperations,
    private readonly direct: boolean,
    private readonly bytes: number,
  ) {
    const fd = stream.fd!;
    const size = direct ? nodeFs.fstatSync(fd).size : 0;
    const start = stream.pos ?? (direct ? 0 : CURRENT);
    const onWritten = (written: number): void => {
      stream.bytesWritten += written;
    };
    const onFailure = (error: Error): void => {
      // A write that waits passes it on, as the next one or the end does where the stream stays open.
      if (!this.waiting && stream.autoClose) nextTick(() => stream.destroy(error));
    };
    const native = operations.engineFor('write')!;
    this.buffer = new WriteBuffer(native, { fd, direct, size, start }, bytes, onWritten, onFailure);
    waitBeforeFinish(stream, this);
  }

  /** Whether a write of so many bytes is better done from where they are. */
  isTooLarge(bytes: number): boolean {
    return !this.direct && bytes >= Math.min(LARGE_BYTES, this.bytes / 2);
  }

  /** False: nothing has been taken, the file is node's to write. */
  write(chunks: Uint8Array[], bytes: number, wantsToKnow: boolean, callback: Callback): boolean {
    const { buffer, stream } = this;
    if (buffer.failure !== undefined) {
      nextTick(callback, buffer.failure);
      return true;
    }
    if (!this.direct && buffer.idle && stream.pos !== undefined) buffer.moveTo(stream.pos);
    const left = this.fill(chunks);
    if (!buffer.pump()) {
      buffer.drop();
      return false;
    }
    if (stream.pos !== undefined) stream.pos += bytes;
    // Not at once: write() has to answer false at the highWaterMark, as it does in node.
    if (left.length === 0 && !wantsToKnow) nextTick(callback);
    else this.later(this.rest(left, wantsToKnow), callback);
    return true;
  }

  /** Runs `fallback` once nothing is on its way. */
  afterwards(fallback: () => void, callback: Callback): void {
    if (this.buffer.idle && this.buffer.failure === undefined) fallback();
    else this.later(this.buffer.flush(), (error) => (error ? callback(error) : fallback()));
  }

  /** Writes what has been taken, and then closes with the error that node would close with. */
  end(error: unknown, close: (error: unknown) => void): void {
    const { buffer, waiting } = this;
    const finished = (): void => {
      buffer.release();
      const final = error ?? buffer.failure;
      if (final || !waiting) close(final ?? null);
      else destroyedError().then(close);
    };
    if (buffer.idle && !waiting) finished();
    else buffer.flush().then(() => nextTick(finished));
  }

  /** Runs `work` and then the callback, in the async context of the caller and as a tick of its own. */
  private later(work: Promise<void>, callback: Callback): void {
    this.waiting = true;
    work.then(() => {
      this.waiting = false;
      const { failure } = this.buffer;
      if (failure === undefined && this.stream.destroyed) destroyedError().then(callback);
      else nextTick(callback, failure);
    });
  }

  /** Takes what fits and returns what does not. */
  private fill(chunks: Uint8Array[]): Uint8Array[] {
    for (let index = 0; index < chunks.length; index++) {
      const chunk = chunks[index]!;
      const count = this.buffer.take(chunk, 0);
      if (count < chunk.byteLength) return [chunk.subarray(count), ...chunks.slice(index + 1)];
    }
    return [];
  }

  private async rest(chunks: Uint8Array[], wantsToKnow: boolean): Promise<void> {
    const { buffer, stream } = this;
    let left = chunks;
    while (left.length > 0) {
      await buffer.room();
      if (buffer.failure !== undefined || stream.destroyed) return;
      left = this.fill(left);
      buffer.pump();
    }
    if (wantsToKnow) await buffer.flush();
  }
}

// An own property, and only now: a stream without _final finishes a tick earlier.
function waitBeforeFinish(stream: WritingStream, writer: Writer): void {
  const inherited = stream._final;
  const _final = (callback: Callback): void => {
    const finished = (): void => {
      const { failure } = writer.buffer;
      if (failure !== undefined || inherited === undefined) callback(failure);
      else inherited.call(stream, callback);
    };
    if (writer.buffer.idle) finished();
    else writer.buffer.flush().then(() => nextTick(finished));
  };
  Object.defineProperty(stream, '_final', { value: _final, writable: true, configurable: true });
}

/** Null for other people's descriptors and files that are not the engine's. */
function makeWriter(stream: WritingStream): Writer | 'blocks' | null {
  const operations = stream[kOperations];
  const { fd } = stream;
  if (operations?.engineFor('write') === undefined || fd === null || fd !== operations.ownFd) return null;
  const direct = operations.writesDirect(fd);
  const bytes = bufferBytes(operations.writeBehind, direct);
  if (bytes > 0) noCallback ??= findNoCallback();
  if (bytes > 0 && noCallback !== undefined) return new Writer(stream, operations, direct, bytes);
  return direct ? 'blocks' : null;
}

/** How much memory a stream that may hold back so many bytes gets. */
function bufferBytes(writeBehind: number | undefined, direct: boolean): number {
  const bytes = Math.min(writeBehind ?? 0, BUFFER_BYTES_MAX);
  if (!direct) return bytes;
  return bytes < DIRECT_BUFFER_BYTES_MIN ? 0 : bytes - (bytes % BLOCK);
}

function writerOf(stream: WritingStream): Writer | 'blocks' | null {
  const found = stream[kWriter];
  if (found !== undefined) return found;
  const made = makeWriter(stream);
  Object.defineProperty(stream, kWriter, { value: made, writable: true });
  return made;
}

const sizeOf = (chunks: Uint8Array[]): number => chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);

/** The methods of a WriteStream over node's own. */
export function writeStreamMethods(node: StreamMethods) {
  function buffered(stream: WritingStream, chunks: Uint8Array[], callback: Callback, fallback: () => void): void {
    const writer = stream[kWriter] as Writer;
    const wantsToKnow = stream._writableState.writecb !== noCallback;
    const bytes = sizeOf(chunks);
    if (writer.isTooLarge(bytes) || !isUnpatched(stream)) {
      writer.afterwards(fallback, callback);
    } else if (!writer.write(chunks, bytes, wantsToKnow, callback)) {
      stream[kWriter] = null;
      fallback();
    }
  }

  function _write(this: WritingStream, chunk: Uint8Array, encoding: string, callback: Callback): void {
    const writer = writerOf(this);
    const fallback = (): void => node._write.call(this, chunk, encoding, callback);
    if (writer === null || (writer === 'blocks' && !isUnpatched(this))) fallback();
    else if (writer === 'blocks') writeInBlocks(this, [chunk], callback, fallback, node);
    else buffered(this, [chunk], callback, fallback);
  }

  function _writev(this: WritingStream, pieces: Piece[], callback: Callback): void {
    const writer = writerOf(this);
    // What node hands over is all that the stream holds.
    const small = areSmall(pieces.length, this.writableLength);
    const fallback = (): void => {
      if (small && isUnpatched(this)) writeGathered(this, pieces, callback, node);
      else node._writev.call(this, pieces, callback);
    };
    const chunks = (): Uint8Array[] => pieces.map((piece) => piece.chunk);
    if (writer instanceof Writer) buffered(this, chunks(), callback, fallback);
    else if (writer === 'blocks' && isUnpatched(this)) writeInBlocks(this, chunks(), callback, fallback, node);
    else fallback();
  }

  function _destroy(this: WritingStream, error: unknown, callback: Callback): void {
    const writer = this[kWriter];
    if (writer instanceof Writer) writer.end(error, (final) => node._destroy.call(this, final, callback));
    else node._destroy.call(this, error, callback);
  }

  return { _write, _writev, _destroy };
}

function isUnpatched(stream: WritingStream): boolean {
  const operations = stream[kOperations];
  if (operations === undefined) return false;
  return operations.engineFor('write') !== undefined && operations.engineFor('writev') !== undefined;
}
