// How a WriteStream writes: _write, _writev and _destroy in front of node's own, and _final once there is something to
// wait for. Chunks without a callback of the program's are taken into memory and written behind the program's back
// (write-behind.ts); whoever wants to know when a chunk is in the file gives a callback, or waits for 'finish'. What is
// not a file that this stream has opened, appends, streams with a small highWaterMark, and the first write of a buffered
// stream go node's way.

import { constants, type WriteStream } from 'node:fs';
import { Writable } from 'node:stream';
import { whenExiting } from '../engine/runtime';
import { plainFlags } from '../internal/arguments';
import { hostFs } from '../internal/host';
import { kOperations } from './classes';
import type { HostMethods } from './host-methods';
import type { StreamOperations } from './operations';
import { WriteBehind } from './write-behind';

const kWriter: unique symbol = Symbol('writer');
const CURRENT = -1;
/** Buffered chunks from this size on are written from where they are: copying them costs more than it saves. */
const LARGE_BYTES = 512 * 1024;

/** Node's smallest default. A program that sets less wants little on its way, and 'drain' when it is in the file. */
const HIGH_WATER_MARK_MIN = 16 * 1024;

type Callback = (error?: unknown) => void;
type Piece = { chunk: Uint8Array };

interface WritingStream extends Omit<WriteStream, 'fd' | '_final'> {
  fd: number | null;
  flags: unknown;
  pos: number | undefined;
  autoClose: boolean;
  bytesWritten: number;
  _writableState: { writecb?: unknown };
  _final?: (callback: Callback) => void;
  [kOperations]?: StreamOperations;
  /** 'second': one write has gone node's way, the next one makes a writer. */
  [kWriter]?: Writer | 'second' | null;
}

/** What is on its way when the process exits is written then: node has it in the file by the time of 'drain'. */
const active = new Set<WriteBehind>();
whenExiting(() => {
  for (const behind of active) behind.sendRest();
  return active.size > 0;
});

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

/** The writing behind of one stream, and the one write that waits for room in it. */
class Writer {
  readonly behind: WriteBehind;
  private waiting = false;

  constructor(
    private readonly stream: WritingStream,
    operations: StreamOperations,
    fd: number,
    readonly direct: boolean,
  ) {
    const native = operations.engineFor('write')!;
    const size = direct ? hostFs.fstatSync(fd).size : 0;
    const start = stream.pos ?? (direct ? 0 : CURRENT);
    const onWritten = (bytes: number): void => {
      stream.bytesWritten += bytes;
      if (this.behind.idle) active.delete(this.behind);
    };
    const onFailure = (error: Error): void => {
      active.delete(this.behind);
      // A write that waits passes it on, as the next one or the end does where the stream stays open.
      if (!this.waiting && stream.autoClose) process.nextTick(() => stream.destroy(error));
    };
    this.behind = new WriteBehind(native, { fd, direct, size, start }, onWritten, onFailure);
    waitBeforeFinish(stream, this);
  }

  /** False: nothing has been taken, the file is node's to write. */
  write(chunks: Uint8Array[], bytes: number, wantsToKnow: boolean, callback: Callback): boolean {
    const { behind, stream } = this;
    if (behind.failure !== undefined) {
      process.nextTick(callback, behind.failure);
      return true;
    }
    if (!this.direct && behind.idle && stream.pos !== undefined) behind.moveTo(stream.pos);
    const left = this.fill(chunks);
    if (!behind.pump()) {
      behind.drop();
      return false;
    }
    if (stream.pos !== undefined) stream.pos += bytes;
    if (!behind.idle) active.add(behind);
    // Not at once: write() has to answer false at the highWaterMark, as it does in node.
    if (left.length === 0 && !wantsToKnow) process.nextTick(callback);
    else this.later(this.rest(left, wantsToKnow), callback);
    return true;
  }

  /** Runs `byNode` once nothing is on its way. */
  afterwards(byNode: () => void, callback: Callback): void {
    if (this.behind.idle && this.behind.failure === undefined) byNode();
    else this.later(this.behind.settled(), (error) => (error ? callback(error) : byNode()));
  }

  /** Writes what has been taken, and then closes with the error that node would close with. */
  end(error: unknown, close: (error: unknown) => void): void {
    const { behind, waiting } = this;
    const finished = (): void => {
      behind.release();
      const final = error ?? behind.failure;
      if (final || !waiting) close(final ?? null);
      else destroyedError().then(close);
    };
    if (behind.idle && !waiting) finished();
    else behind.flush().then(() => process.nextTick(finished));
  }

  /** Runs `work` and then the callback, in the async context of the caller and as a tick of its own. */
  private later(work: Promise<void>, callback: Callback): void {
    this.waiting = true;
    work.then(() => {
      this.waiting = false;
      const { failure } = this.behind;
      if (failure === undefined && this.stream.destroyed) destroyedError().then(callback);
      else process.nextTick(callback, failure);
    });
  }

  /** Takes what fits and returns what does not. */
  private fill(chunks: Uint8Array[]): Uint8Array[] {
    for (let index = 0; index < chunks.length; index++) {
      const chunk = chunks[index]!;
      const count = this.behind.take(chunk, 0);
      if (count < chunk.byteLength) return [chunk.subarray(count), ...chunks.slice(index + 1)];
    }
    return [];
  }

  private async rest(chunks: Uint8Array[], wantsToKnow: boolean): Promise<void> {
    const { behind, stream } = this;
    let left = chunks;
    while (left.length > 0) {
      await behind.room();
      if (behind.failure !== undefined || stream.destroyed) return;
      left = this.fill(left);
      behind.pump();
    }
    if (wantsToKnow) await behind.settled();
  }
}

// An own property, and only now: a stream without _final finishes a tick earlier.
function waitBeforeFinish(stream: WritingStream, writer: Writer): void {
  const inherited = stream._final;
  const _final = (callback: Callback): void => {
    const finished = (): void => {
      const { failure } = writer.behind;
      if (failure !== undefined || inherited === undefined) callback(failure);
      else inherited.call(stream, callback);
    };
    if (writer.behind.idle) finished();
    else writer.behind.flush().then(() => process.nextTick(finished));
  };
  Object.defineProperty(stream, '_final', { value: _final, writable: true, configurable: true });
}

/** Null where node's methods do it all: other people's descriptors, appends, small buffers, files that are not the engine's. */
function makeWriter(stream: WritingStream): Writer | null {
  const operations = stream[kOperations];
  const { fd } = stream;
  if (operations?.engineFor('write') === undefined || fd === null || fd !== operations.ownFd) return null;
  noCallback ??= findNoCallback();
  if (noCallback === undefined) return null;
  const direct = operations.writesDirect(fd);
  const appends = ((plainFlags(stream.flags) ?? constants.O_APPEND) & constants.O_APPEND) !== 0;
  const small = stream.writableHighWaterMark < HIGH_WATER_MARK_MIN;
  return direct || !(appends || small) ? new Writer(stream, operations, fd, direct) : null;
}

/** The writer of a stream, made with its second write: streams that write once have nothing to gain. */
function writerOf(stream: WritingStream): Writer | null {
  const found = stream[kWriter];
  if (found !== undefined && found !== 'second') return found;
  // A direct stream gains from the first write on: node's way would bounce each chunk on its own.
  const waits = found === undefined && stream[kOperations]?.wantsDirect !== true;
  const made = waits ? 'second' : makeWriter(stream);
  Object.defineProperty(stream, kWriter, { value: made, writable: true });
  return made === 'second' ? null : made;
}

/** The methods of a WriteStream over node's own. */
export function writePath(host: HostMethods) {
  function write(stream: WritingStream, chunks: Uint8Array[], callback: Callback, byNode: () => void): void {
    const writer = writerOf(stream);
    const wantsToKnow = stream._writableState.writecb !== noCallback;
    const bytes = chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
    if (writer === null) {
      byNode();
    } else if (!writer.direct && (wantsToKnow || bytes >= LARGE_BYTES || !isUnpatched(stream))) {
      writer.afterwards(byNode, callback);
    } else if (!writer.write(chunks, bytes, wantsToKnow, callback)) {
      stream[kWriter] = null;
      byNode();
    }
  }

  function _write(this: WritingStream, chunk: Uint8Array, encoding: string, callback: Callback): void {
    write(this, [chunk], callback, () => host._write.call(this, chunk, encoding, callback));
  }

  function _writev(this: WritingStream, pieces: Piece[], callback: Callback): void {
    const chunks = pieces.map((piece) => piece.chunk);
    write(this, chunks, callback, () => host._writev.call(this, pieces, callback));
  }

  function _destroy(this: WritingStream, error: unknown, callback: Callback): void {
    const writer = this[kWriter];
    if (writer instanceof Writer) writer.end(error, (final) => host._destroy.call(this, final, callback));
    else host._destroy.call(this, error, callback);
  }

  return { _write, _writev, _destroy };
}

function isUnpatched(stream: WritingStream): boolean {
  const operations = stream[kOperations]!;
  return operations.engineFor('write') !== undefined && operations.engineFor('writev') !== undefined;
}
