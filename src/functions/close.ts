// close and closeSync of node:fs.

import { freeNumber, nodeListsNumbers } from '../descriptor/node-numbers';
import { isDescriptor } from '../engine/arguments';
import { runningEngine } from '../engine/backend-choice';
import { type Callback, finishPlain } from '../engine/callbacks';
import { engine } from '../engine/engine';
import { callFallback } from '../engine/fallback';
import { callBackWith } from '../engine/requests';
import { type Addon, FLAG_CALLBACK, FLAG_KEEP_NUMBER, UNSUPPORTED } from '../native/addon';
import { systemError, systemErrorWithoutFrames } from '../node/errors';
import { nodeFs } from '../node/fs';

const EBADF = -9;

export function close(fd: unknown, callback?: unknown): void {
  // biome-ignore lint/complexity/noArguments: the number of arguments is part of the call
  const args = arguments;
  const native = engine();
  // Without a callback node throws what goes wrong.
  const finished = callback === undefined ? rethrow : callback;
  if (native === undefined || !isDescriptor(fd) || typeof finished !== 'function')
    return void callFallback('close', args);
  if (nodeListsNumbers()) closeForNode(native, fd, args, finished as Callback);
  else finishPlain({ name: 'close', args, syscall: 'close' }, native.close(fd, FLAG_CALLBACK), finished as Callback);
}

/** The engine closes the file, and then node the number, which nobody else can get before. */
function closeForNode(native: Addon, fd: number, args: IArguments, callback: Callback): void {
  const answer = native.close(fd, FLAG_CALLBACK | FLAG_KEEP_NUMBER);
  if (answer === UNSUPPORTED) return void callFallback('close', args);
  callBackWith(answer, undefined, (result) => {
    // It was closed already, or is about to be: it is not ours to free.
    if (result < 0 && result !== UNSUPPORTED) return callback(systemErrorWithoutFrames(result, 'close'));
    native.forget(fd);
    if (result === UNSUPPORTED) return void callFallback('close', args);
    freeNumber(fd);
    callback(result === 0 ? null : systemErrorWithoutFrames(-result, 'close'));
  });
}

function rethrow(error: unknown): void {
  if (error !== null) throw error;
}

export function closeSync(fd: unknown): void {
  // What was accepted on the descriptor goes first; afterwards its number means nothing to us.
  // Nothing has been accepted where no engine runs, and none is started here: node's module loaders close files too.
  const native = runningEngine()?.native;
  if (native !== undefined && isDescriptor(fd)) {
    if (!native.settleDescriptor(fd)) throw systemError(EBADF, 'close');
    native.forget(fd);
  }
  nodeFs.closeSync(fd as number);
}
