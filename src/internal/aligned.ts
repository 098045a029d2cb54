// Aligned memory for O_DIRECT.

import { type Addon, addon } from '../native/addon';

const ALIGNMENT = 4096;

/**
 * A Buffer of `size` bytes (0 to 2 GiB) that starts at a multiple of 4,096, on recycled memory where the engine can
 * give it. Like Buffer.allocUnsafe its content is undefined. Throws node's ERR_OUT_OF_RANGE for an invalid size.
 */
export function alignedBuffer(size: number): Buffer {
  if (!Number.isInteger(size) || size <= 0 || size > 0x7fffffff) return Buffer.allocUnsafeSlow(size);
  const native = addon();
  if (native === undefined) return Buffer.allocUnsafeSlow(size);
  return native.alignedBuffer(size) ?? withinLarger(native, size);
}

// Where external memory is refused (Electron): the aligned part of a buffer that is large enough to have one.
function withinLarger(native: Addon, size: number): Buffer {
  const whole = Buffer.allocUnsafeSlow(size + ALIGNMENT);
  const start = (ALIGNMENT - native.misalignment(whole)) % ALIGNMENT;
  return whole.subarray(start, start + size);
}
