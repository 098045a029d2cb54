// Node's own FileHandle over a descriptor that we have opened: what the fallback needs for files that turn out, once
// they are open, not to be the engine's: /proc, pipes, directories and filesystems that the engine does not know.

import type { FileHandle } from 'node:fs/promises';
import { orFallback } from '../engine/fallback';
import { handleParts, learnParts } from '../node/file-handle-parts';
import { nodePromises } from '../node/promises';
import { closeDescriptor, wrapDescriptor } from './file-handle-close';
import { openFlagsOf } from './open';

/** fs.promises.open of node, which also shows what node's FileHandle is made of. */
export const nodeOpen: typeof nodePromises.open = async (path, flags, mode) => {
  const handle = await nodePromises.open(path, flags, mode);
  learnParts(handle);
  return handle;
};

/** Where Node keeps its FileHandle class out of reach: node opens the same file through the descriptor. */
export async function reopenedByNode(fd: number): Promise<FileHandle> {
  try {
    return await nodeOpen(`/proc/self/fd/${fd}`, openFlagsOf(fd));
  } finally {
    await closeDescriptor(fd);
  }
}

async function nodeHandleOver(fd: number): Promise<FileHandle> {
  const parts = handleParts();
  return parts === undefined ? reopenedByNode(fd) : new parts.Base(wrapDescriptor(parts, fd));
}

/**
 * `work` of the engine on a descriptor that we have opened and close, or `fallback` when the file is node's to serve:
 * node gets it as a FileHandle, which then owns it. Both failing is one AggregateError, as node makes it.
 */
export async function closingAfter<T>(
  fd: number,
  work: () => Promise<T>,
  fallback: (handle: FileHandle) => Promise<T>,
): Promise<T> {
  let close = (): Promise<void> => closeDescriptor(fd);
  let result: T;
  try {
    result = await orFallback(work, async () => {
      const handle = await nodeHandleOver(fd);
      close = () => handle.close();
      return fallback(handle);
    });
  } catch (error) {
    await close().catch((closeError) => {
      throw bothErrors(error as NodeJS.ErrnoException, closeError);
    });
    throw error;
  }
  await close();
  return result;
}

function bothErrors(error: NodeJS.ErrnoException, closeError: unknown): Error {
  return Object.assign(new AggregateError([error, closeError], error.message), { code: error.code });
}
