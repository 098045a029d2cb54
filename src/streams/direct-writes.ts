// Writes of a stream with O_DIRECT, each acknowledged when the kernel has all of it. A device takes whole blocks. A
// chunk that begins or ends inside of one is written in up to three parts, one after the other: the bytes up to the
// next block, the whole blocks, and what is left. Only the parts that are no whole blocks pass the page cache, as
// unaligned direct writes do (docs/decisions/0003-unaligned-direct-writes.md); written in one go, the first odd chunk
// would take all that follow it there.

import type { StreamMethods } from '../node/stream-methods';
import { BLOCK } from './stream-memory';

/** Fewer bytes of whole blocks are not worth writes of their own. */
const BLOCKS_BYTES_MIN = 32 * 1024;

type Callback = (error?: unknown) => void;

interface DirectStream {
  pos: number | undefined;
  bytesWritten: number;
}

/** Cuts the chunks, one behind the other, after `counts` bytes each; the memory stays where it is. */
function cut(chunks: Uint8Array[], counts: number[]): Uint8Array[][] {
  const left = [...chunks];
  return counts.map((wanted) => {
    const part: Uint8Array[] = [];
    for (let count = wanted; count > 0; ) {
      const chunk = left.shift()!;
      part.push(chunk.byteLength > count ? chunk.subarray(0, count) : chunk);
      if (chunk.byteLength > count) left.unshift(chunk.subarray(count));
      count -= Math.min(count, chunk.byteLength);
    }
    return part;
  });
}

/** `writeAtOnce` writes all of it in one go. */
export function writeInBlocks(
  stream: DirectStream,
  chunks: Uint8Array[],
  callback: Callback,
  writeAtOnce: () => void,
  node: StreamMethods,
): void {
  const bytes = chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
  // A stream without a position writes at that of its file, which began at 0. Where somebody else has moved it, the
  // parts are the wrong ones and nothing worse: the engine looks where it is.
  const position = stream.pos ?? stream.bytesWritten;
  const head = (BLOCK - (position % BLOCK)) % BLOCK;
  const tail = (position + bytes) % BLOCK;
  const middle = bytes - head - tail;
  if (head + tail === 0 || middle < BLOCKS_BYTES_MIN) {
    writeAtOnce();
    return;
  }
  const parts = cut(chunks, [head, middle, tail]).filter((part) => part.length > 0);
  const next = (error?: unknown): void => {
    const part = error ? undefined : parts.shift();
    if (part === undefined) callback(error);
    else if (part.length === 1) node._write.call(stream, part[0]!, 'buffer', next);
    else
      node._writev.call(
        stream,
        part.map((chunk) => ({ chunk })),
        next,
      );
  };
  next();
}
