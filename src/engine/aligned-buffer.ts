// Aligned memory for O_DIRECT.

import { type Addon, addon } from '../native/addon';

const ALIGNMENT = 4096;
const BYTES_MAX = 2 ** 31;

/**
 * A Buffer of `size` bytes (0 to 2 GiB) that starts at a multiple of 4,096, on recycled memory where the engine can
 * give it. Like Buffer.allocUnsafe its content is undefined. Throws node's ERR_OUT_OF_RANGE for an invalid size.
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
