// The close of a descriptor that the engine has opened, and of the FileHandle over it: behind everything accepted on
// the descriptor.

import { afterPoll } from '../engine/after-poll';
import { startedEngine } from '../engine/engine';
import { resultOf } from '../engine/requests';
import { FLAG_TRUSTED, UNSUPPORTED } from '../native/addon';
import { systemError } from '../node/errors';
import type { HandleParts, NativeHandle } from '../node/file-handle-parts';
import { nodeFs } from '../node/fs';

/** Closes a descriptor through the engine, behind everything accepted on it. Rejects with node's error. */
export async function closeDescriptor(fd: number): Promise<void> {
  const native = startedEngine();
  const answer = native === undefined ? UNSUPPORTED : native.close(fd, FLAG_TRUSTED);
  const result = await (answer >= 0 ? afterPoll(answer) : resultOf(answer));
  if (result === UNSUPPORTED) {
    await new Promise<void>((resolve, reject) => {
      nodeFs.close(fd, (error) => (error ? reject(error) : resolve()));
    });
  } else if (result < 0) {
    throw systemError(result, 'close');
  }
}

/**
 * Node's native handle over `fd`. Its own close is replaced: node's FileHandle.close counts references, sets fd to -1
 * and emits 'close' as ever, and then calls this one.
 */
export function wrapDescriptor(parts: HandleParts, fd: number): NativeHandle {
  return closedByEngine(new parts.Native(fd));
}

/** The descriptor is released first, or the garbage collector would later close a stranger's. */
export function closedByEngine(native: NativeHandle): NativeHandle {
  native.close = () => {
    const { fd } = native;
    native.releaseFD();
    return closeDescriptor(fd);
  };
  return native;
}
