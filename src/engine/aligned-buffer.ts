// Aligned memory for O_DIRECT.

import { type Addon, addon } from '../native/addon';

const ALIGNMENT = 4096;
const BYTES_MAX = 2 ** 31;

/**
 * A Buffer that starts at a multiple of 4,096 bytes, as O_DIRECT wants it (open(2), NOTES): requests with such memory
 * need no copy. On recycled memory where the engine can give it; like that of Buffer.allocUnsafe its content is
 * undefined. Without an engine the Buffer is an ordinary one.
 *
 * @param size bytes, 0 to 2 ** 31 (2 GiB)
 * @throws {RangeError} node's `ERR_OUT_OF_RANGE` for another number.
 * @throws {TypeError} node's `ERR_INVALID_ARG_TYPE` for what is no number.
 */
export function alignedBuffer(size: number): Buffer {
  // The kernel transfers no more at once, so the limit is the same on every Node.
  if (typeof size === 'number' && !(size >= 0 && size <= BYTES_MAX)) throw outOfRange(size);
  if (!Number.isInteger(size) || size === 0) return Buffer.allocUnsafeSlow(size);
  const native = addon();
  if (native === undefined) return Buffer.allocUnsafeSlow(size);
  if (size === BYTES_MAX) return alignedWithinLarger(native, size);
  return native.alignedBuffer(size) ?? alignedWithinLarger(native, size);
}

function outOfRange(size: number): RangeError {
  const message = `The value of "size" is out of range. It must be >= 0 && <= ${BYTES_MAX}. Received ${size}`;
  return Object.assign(new RangeError(message), { code: 'ERR_OUT_OF_RANGE' });
}

/**
 * The aligned part of a buffer that is large enough to have one: where external memory is refused (Electron), and for a
 * size that the addon's numbers do not reach.
 */
export function alignedWithinLarger(native: Addon, size: number): Buffer {
  const whole = Buffer.allocUnsafeSlow(size + ALIGNMENT);
  const start = (ALIGNMENT - native.misalignment(whole)) % ALIGNMENT;
  return whole.subarray(start, start + size);
}
