// Argument values that several parity tests try one after the other.
import fs from 'node:fs';
import { patternBytes } from '../../helpers/tempdir.mjs';

/** Label and value; labels are explicit because several values print alike. */
export const ODD_VALUES = [
  ['undefined', undefined],
  ['null', null],
  ['true', true],
  ['zero', 0],
  ['minus one', -1],
  ['fraction', 1.5],
  ['NaN', Number.NaN],
  ['infinity', Number.POSITIVE_INFINITY],
  ['2^31', 2 ** 31],
  ['2^53', 2 ** 53],
  ['bigint', 3n],
  ['string', 'text'],
  ['digits', '3'],
  ['object', {}],
  ['array', []],
  ['symbol', Symbol('s')],
];

/** Positions that are valid somewhere and invalid elsewhere. */
export const POSITIONS = [
  ...ODD_VALUES,
  ['five', 5],
  ['bigint minus one', -1n],
  ['bigint minus two', -2n],
  ['minus two', -2],
  ['beyond the end', 10_000],
  ['2^31 + 1', 2 ** 31 + 1],
  ['2^53 - 1', Number.MAX_SAFE_INTEGER],
  ['2^63 - 1', 2n ** 63n - 1n],
  ['2^63', 2n ** 63n],
];

export const CONTENT = patternBytes(300, 7);

/** Buffers of every kind that reads and writes accept, 40 bytes each, made anew for every call. */
export const VIEWS = [
  ['Buffer', () => Buffer.alloc(40, 0x2e)],
  ['pooled Buffer', () => Buffer.from('.'.repeat(40))],
  ['subarray', () => Buffer.alloc(80, 0x2e).subarray(17, 57)],
  ['Uint8Array', () => new Uint8Array(40).fill(0x2e)],
  ['Uint16Array', () => new Uint16Array(20).fill(0x2e2e)],
  ['Float64Array', () => new Float64Array(5)],
  ['BigInt64Array', () => new BigInt64Array(5)],
  ['Uint16Array at an offset', () => new Uint16Array(new ArrayBuffer(64), 6, 20)],
  ['DataView', () => new DataView(new ArrayBuffer(60), 11, 40)],
  ['SharedArrayBuffer view', () => new Uint8Array(new SharedArrayBuffer(64), 8, 40)],
  ['resizable view', () => new Uint8Array(new ArrayBuffer(40, { maxByteLength: 80 }))],
  ['empty Buffer', () => Buffer.alloc(0)],
];

/** Things that are not views. */
export const NOT_VIEWS = [
  ['ArrayBuffer', () => new ArrayBuffer(8)],
  ['SharedArrayBuffer', () => new SharedArrayBuffer(8)],
  ['plain object', () => ({ length: 4 })],
  ['array of numbers', () => [1, 2, 3]],
  ['number', () => 12],
  ['null', () => null],
  ['boolean', () => false],
  ['function', () => () => 'x'],
  ['object with toString', () => ({ toString: () => 'text' })],
];

/** A file with CONTENT, opened by node:fs, with the position at 10. */
export function openedAtTen(side, flags = 'r', name = 'data') {
  const file = side.put(name, CONTENT);
  const fd = fs.openSync(file, flags);
  if (fs.readSync(fd, Buffer.alloc(10), 0, 10, null) !== 10) throw new Error('set-up read failed');
  return fd;
}

/** The same as a FileHandle of the side. */
export async function handleAtTen(side, flags = 'r', name = 'data') {
  const handle = await side.fsp.open(side.put(name, CONTENT), flags);
  if ((await handle.read(Buffer.alloc(10), 0, 10, null)).bytesRead !== 10) throw new Error('set-up read failed');
  return handle;
}

/** Runs `step` and closes the handle whatever happens. */
export async function closing(handle, step) {
  try {
    return await step(handle);
  } finally {
    await handle.close();
  }
}
