// Memory of streams: of the chunks that a read stream hands out, and of the ring of a write stream. Each chunk has an
// ArrayBuffer of its own, as node's have: a kept chunk keeps nothing else alive, and transferring one takes no other
// away.
//
// It is V8's memory, not the engine's blocks behind external buffers. Measured over a cached file, 64 KiB chunks:
// external buffers cost 1.5 times the CPU time and twice the memory, because V8 collects its own array buffers every
// 32 MiB but sees external ones only in a full collection.

import { alignedWithinLarger } from '../engine/aligned-buffer';
import { addon } from '../native/addon';

/** Of offsets, lengths and memory with O_DIRECT. */
export const BLOCK = 4096;

export function makeChunk(size: number, aligned: boolean): Buffer {
  const native = aligned ? addon() : undefined;
  return native === undefined ? Buffer.allocUnsafeSlow(size) : alignedWithinLarger(native, size);
}

/** The first `size` bytes as a chunk of their own: a small part must not keep a large buffer alive. */
export function shrunk(chunk: Buffer, size: number): Buffer {
  const copy = Buffer.allocUnsafeSlow(size);
  chunk.copy(copy, 0, 0, size);
  return copy;
}
