// What node:fs does with files that turn out not to be the engine's, once they are open: /proc, pipes, directories and
// filesystems that the engine does not know.

import type { FileHandle } from 'node:fs/promises';
import { types } from 'node:util';
import { countDelegated } from '../engine/engine';
import { countDelegatedBytes } from '../engine/stats';
import { closeDescriptor } from './file-handle-close';
import { nodeHandleOver } from './open';
import { FallbackSignal } from './transfers';

/** Keeps a FileHandle counted as busy while `work` runs, so that its close waits. */
export type Held = <T>(handle: FileHandle, work: () => Promise<T>) => Promise<T>;

/** Waits for a call of node's and counts it, with the bytes that it brings. */
export async function byNode<T>(call: Promise<T>): Promise<T> {
  countDelegated();
  const value = await call;
  if (types.isUint8Array(value) || typeof value === 'string') countDelegatedBytes(value.length);
  return value;
}

/** A callback function of node's, as a promise. */
export function viaCallback<T>(call: (callback: (error: unknown, value?: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    call((error, value) => (error ? reject(error) : resolve(value as T)));
  });
}

/** `work` of the engine, or `delegate` when the file is node's to serve. */
export async function orByNode<T>(work: () => Promise<T>, delegate: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error !== FallbackSignal) throw error;
  }
  return delegate();
}

/**
 * The same on a descriptor that we have opened and close. node gets it as a FileHandle, which then owns it. Both
 * failing is one AggregateError, as node makes it.
 */
export async function closingAfter<T>(
  fd: number,
  work: () => Promise<T>,
  delegate: (handle: FileHandle) => Promise<T>,
): Promise<T> {
  let close = (): Promise<void> => closeDescriptor(fd);
  let result: T;
  try {
    result = await orByNode(work, async () => {
      const handle = await nodeHandleOver(fd);
      close = () => handle.close();
      return delegate(handle);
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
