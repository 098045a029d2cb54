// close and closeSync of node:fs.

import { isMainThread } from 'node:worker_threads';
import { isDescriptor } from '../engine/arguments';
import { runningEngine } from '../engine/backend-choice';
import { type Callback, finishPlain } from '../engine/callbacks';
import { engine } from '../engine/engine';
import { callFallback } from '../engine/fallback';
import { FLAG_CALLBACK } from '../native/addon';
import { nodeFs } from '../node/fs';

export function close(fd: unknown, callback?: unknown): void {
  // biome-ignore lint/complexity/noArguments: the number of arguments is part of the call
  const args = arguments;
  const native = engine();
  // Without a callback node throws what goes wrong.
  const finished = callback === undefined ? rethrow : callback;
  if (native === undefined || !isDescriptor(fd) || typeof finished !== 'function')
    return void callFallback('close', args);
  if (isOfNode(fd)) {
    // Nearly always nothing is left, and this waits for nothing.
    native.settleDescriptor(fd);
    native.forget(fd);
    return void callFallback('close', args);
  }
  finishPlain({ name: 'close', args, syscall: 'close' }, native.close(fd, FLAG_CALLBACK), finished as Callback);
}

/**
 * node remembers the numbers that it has opened in a Worker, until it closes them itself; those that are left it closes
 * when the Worker ends. One that the engine had closed would be another file's by then, of any thread.
 */
const openedHere = new Set<number>();

/** The engine has opened it, for a callback. */
export function rememberOpened(fd: number): void {
  if (!isMainThread) openedHere.add(fd);
}

/** Whether node has to close it, so that it forgets the number. */
function isOfNode(fd: number): boolean {
  return !isMainThread && !openedHere.delete(fd);
}

function rethrow(error: unknown): void {
  if (error !== null) throw error;
}

export function closeSync(fd: unknown): void {
  // What was accepted on the descriptor goes first; afterwards its number means nothing to us.
  // Nothing has been accepted where no engine runs, and none is started here: node's module loaders close files too.
  const native = runningEngine()?.native;
  if (native !== undefined && isDescriptor(fd)) {
    native.settleDescriptor(fd);
    native.forget(fd);
    openedHere.delete(fd);
  }
  nodeFs.closeSync(fd as number);
}
