// Numbers of descriptors that a program gets, in a Worker. Node lists there the numbers that it has given, until it
// closes them itself; those that are left it closes when the Worker ends, and it warns of others. So node gives the
// numbers and takes them back, also where the engine opens and closes the files
// (docs/decisions/0016-numbers-in-workers.md).

import { startedEngine } from '../engine/engine';
import { nodeFs } from '../node/fs';

let listed: boolean | undefined;

/** Whether node keeps such a list here. The engine has been started. */
export function nodeListsNumbers(): boolean {
  listed ??= startedEngine()!.onDefaultLoop() === 0;
  return listed;
}

/** Any number will do. */
export const NO_NUMBER = -1;

/** Node's constants lack it: a descriptor that nothing can be read from or written to. */
const O_PATH = 0o10000000;
const EMFILE = -24;

/** A number for a file that is about to be opened. Undefined where none is left. */
export function reserveNumber(): number | undefined {
  if (!nodeListsNumbers()) return NO_NUMBER;
  try {
    return nodeFs.openSync('/', O_PATH);
  } catch {
    return undefined;
  }
}

/** No file has come of it. */
export function releaseNumber(number: number): void {
  if (number !== NO_NUMBER) freeNumber(number);
}

/** Whether the open has failed only because a number was reserved for it. */
export function lacksNumber(result: number, number: number): boolean {
  return result === EMFILE && number !== NO_NUMBER;
}

/** What the number stood for is closed. Waits for nothing. */
export function freeNumber(number: number): void {
  try {
    nodeFs.closeSync(number);
  } catch {
    // The program has closed it meanwhile, by its number.
  }
}
