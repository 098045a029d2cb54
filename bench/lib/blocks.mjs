// What the benchmark's file contains: each 4 KiB block says which block it is and the rest follows from that number,
// so that any reader can verify any range. Pure functions, used by the runner and by the workers (Node, Bun, Deno).
import { Buffer } from 'node:buffer';

export const BLOCK_SIZE = 4096;
const WORDS_PER_BLOCK = BLOCK_SIZE / 4;

/**
 * Fills one block. random_read.c checks the same content.
 * @param {Uint32Array} words
 * @param {number} at index of the block's first word
 * @param {number} block
 */
export function fillBlock(words, at, block) {
  words[at] = block;
  words[at + 1] = ~block;
  let x = Math.imul(block, 2654435761) | 1;
  for (let i = 2; i < WORDS_PER_BLOCK; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    words[at + i] = x;
  }
}

/**
 * The right content of `length` bytes from `position`, both multiples of the block size.
 * @param {number} position
 * @param {number} length
 */
export function expectedBytes(position, length) {
  const words = new Uint32Array(length / 4);
  for (let at = 0; at < words.length; at += WORDS_PER_BLOCK) {
    fillBlock(words, at, position / BLOCK_SIZE + at / WORDS_PER_BLOCK);
  }
  return Buffer.from(words.buffer);
}

/**
 * Throws when `bytes`, read at `position` (any position, any length), are not what the file contains.
 * @param {Uint8Array} bytes
 * @param {number} position
 */
export function verifyBytes(bytes, position) {
  const first = Math.floor(position / BLOCK_SIZE) * BLOCK_SIZE;
  const last = Math.ceil((position + bytes.length) / BLOCK_SIZE) * BLOCK_SIZE;
  const expected = expectedBytes(first, last - first);
  const from = position - first;
  if (expected.compare(bytes, 0, bytes.length, from, from + bytes.length) !== 0) {
    throw new Error(`wrong data in ${bytes.length} bytes at ${position}`);
  }
}

/**
 * A sequence of random block positions: the same one for every side that gets the same seed.
 * @param {number} seed
 * @param {number} blockCount a power of two
 * @returns {() => number}
 */
export function randomPositions(seed, blockCount) {
  const mask = blockCount - 1;
  let x = seed >>> 0 || 1;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x & mask) * BLOCK_SIZE;
  };
}
