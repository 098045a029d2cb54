// How a ReadStream reads: _read and _destroy in front of node's own. Where the engine cannot serve the stream, or the
// program has patched fs.read, node's methods run as they are.

import type { ReadStream } from 'node:fs';
import { engine } from '../engine/engine';
import { type Addon, UNSUPPORTED } from '../native/addon';
import { systemErrorWithoutFrames } from '../node/errors';
import { nextTick } from '../node/fs';
import { type StreamMethods, streamMethods } from '../node/stream-methods';
import { readsByEngine } from './engine-handles';
import type { StreamOperations } from './fs-operations';
import { kHandle, kOperations } from './names';
import { ReadAhead } from './read-ahead';

const kSource: unique symbol = Symbol('source');
/** The file position: nothing is read ahead. */
const CURRENT = -1;
const CHUNK_BYTES_MAX = 0x7ffff000;

/** What node's ReadStream has, undocumented parts included. */
interface ReadingStream extends ReadStream {
  fd: number | null;
  start: number | undefined;
  end: number;
  pos: number | undefined;
  autoClose: boolean;
  bytesRead: number;
  [kOperations]?: StreamOperations;
  [kHandle]?: object;
  [kSource]?: Source | null;
}

/** Where a stream's chunks come from. */
interface Source {
  ahead: ReadAhead;
  /** Position of the next chunk where the stream keeps none itself; CURRENT: each read finds it out. */
  position: number;
}

function makeSource(stream: ReadingStream): Source | null {
  const operations = stream[kOperations];
  const native = nativeFor(stream);
  const { fd } = stream;
  if (native === undefined || typeof fd !== 'number') return null;
  // The stream's own descriptor is read ahead of its position, which follows the chunks. That of a FileHandle or a
  // number has other users, whose reads could come in between.
  const isOwn = operations !== undefined && fd === operations.ownFd && stream.pos === undefined;
  const position = isOwn ? native.filePosition(fd) : CURRENT;
  const ahead = new ReadAhead(
    native,
    fd,
    operations?.wantsDirect === true,
    position !== CURRENT,
    stream[kHandle] !== undefined,
  );
  return { ahead, position };
}

/** The engine, while neither fs.read nor the FileHandle's read is the program's own. */
function nativeFor(stream: ReadingStream): Addon | undefined {
  const handle = stream[kHandle];
  if (handle !== undefined) return readsByEngine(handle) ? engine() : undefined;
  return stream[kOperations]?.engineFor('read');
}

/** The source of a stream; null where node's own methods have to do. */
function sourceOf(stream: ReadingStream): Source | null {
  let source = stream[kSource];
  if (source === undefined) {
    source = makeSource(stream);
    Object.defineProperty(stream, kSource, { value: source, writable: true });
  }
  return source !== null && nativeFor(stream) === undefined ? null : source;
}

/** The methods of a ReadStream over node's own. */
export function readStreamMethods(node: StreamMethods) {
  function _read(this: ReadingStream, size: number): void {
    const source = sourceOf(this);
    const remaining = this.end - (this.pos !== undefined ? this.pos : this.bytesRead) + 1;
    const wanted = Math.min(remaining, size);
    if (source === null || !Number.isInteger(wanted) || wanted <= 0 || wanted > CHUNK_BYTES_MAX) {
      node._read.call(this, size);
      return;
    }
    const position = this.pos !== undefined ? this.pos : source.position;
    source.ahead.next(position, wanted, remaining, (count, chunk, found) => {
      if (this.destroyed) return;
      if (count < 0) return readByNode(this, source, count, size);
      if (count === 0) return void this.push(null);
      if (this.pos !== undefined) this.pos += count;
      else if (source.position !== CURRENT) source.position = found + count;
      this.bytesRead += count;
      this.push(chunk);
    });
  }

  // UNSUPPORTED: not a file of the engine's, from here on node reads it. Errors go through node's _read too, which
  // knows how to raise them on every kind of stream; a FileHandle meets its error again there.
  function readByNode(stream: ReadingStream, source: Source, result: number, size: number): void {
    if (result === UNSUPPORTED || stream[kHandle] !== undefined) {
      stream[kSource] = null;
      node._read.call(stream, size);
      return;
    }
    const failed = source.ahead.failure;
    const operations = stream[kOperations] as unknown as Record<string, unknown>;
    // Node calls it once, within _read.
    Object.defineProperty(operations, 'read', {
      configurable: true,
      value: (
        _fd: number,
        buffer: unknown,
        _offset: number,
        _length: number,
        _position: unknown,
        done: AnyCallback,
      ) => {
        delete operations.read;
        nextTick(done, systemErrorWithoutFrames(failed, 'read'), 0, buffer);
      },
    });
    node._read.call(stream, size);
  }

  function _destroy(this: ReadingStream, error: unknown, callback: (error?: unknown) => void): void {
    const source = this[kSource];
    if (!source?.ahead.busy) {
      node._destroy.call(this, error, callback);
      return;
    }
    // As node waits for its one read: the descriptor stays open while the kernel works with it.
    source.ahead.whenIdle(() => nextTick(() => node._destroy.call(this, error, callback)));
  }

  return { _read, _destroy };
}

/** Gives a stream that node has made over a FileHandle of ours the same path. */
export function readAheadOf(stream: ReadingStream, handle: object): ReadingStream {
  const { _read, _destroy } = readStreamMethods(streamMethods('ReadStream'));
  for (const [key, value] of [
    ['_read', _read],
    ['_destroy', _destroy],
    [kHandle, handle],
  ] as const) {
    Object.defineProperty(stream, key, { value, writable: true, configurable: true });
  }
  return stream;
}

type AnyCallback = (...values: unknown[]) => void;
