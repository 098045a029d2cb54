// FileHandle.readableWebStream. Until Node 24 a stream that is not of type 'bytes' reads through node's own native
// handle, past FileHandle.read.

import type { FileHandle } from 'node:fs/promises';

/** node's own stream; where that would read past the engine, see above. */
export function webStreamOf(_handle: FileHandle, _options: unknown, byNode: () => unknown): unknown {
  return byNode();
}
