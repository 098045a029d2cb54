// close and closeSync of node:fs.

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
  finishPlain({ name: 'close', args, syscall: 'close' }, native.close(fd, FLAG_CALLBACK), finished as Callback);
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
  }
  nodeFs.closeSync(fd as number);
}
