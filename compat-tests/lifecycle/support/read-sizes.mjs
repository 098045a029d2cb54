/** What the terminated workers read at once. */
export const SMALL_BYTES = 4096;
/** Beyond what the engine stages (csrc/base/limits.h), so that the kernel writes right into the caller's memory. */
export const LARGE_BYTES = 256 * 1024;
/** From read to read: far enough apart that neither the kernel nor the engine makes one request of two. */
export const STRIDE_BYTES = 512 * 1024;
