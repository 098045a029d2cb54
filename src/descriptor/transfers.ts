// Reads and writes on a descriptor as steps of something larger (whole files): plain counts, node's errors, or
// FallbackSignal where the file is node's to serve.

import type { FileHandle } from 'node:fs/promises';
import { startedEngine } from '../engine/engine';
import { FallbackSignal } from '../engine/fallback';
import { resultOf, settleWith } from '../engine/requests';
import { ACCEPTED, type Addon, pathNumbers, UNSUPPORTED } from '../native/addon';
import { systemError } from '../node/errors';

/** Keeps a FileHandle counted as busy while `work` runs, so that its close waits. */
export type Held = <T>(handle: FileHandle, work: () => Promise<T>) => Promise<T>;

async function checked(answer: number, keepAlive: unknown, syscall: string): Promise<number> {
  return checkedResult(await resultOf(answer, keepAlive), syscall);
}

function checkedResult(result: number, syscall: string): number {
  if (result === UNSUPPORTED) throw FallbackSignal;
  if (result < 0) {
    const error = systemError(result, syscall);
    Error.captureStackTrace(error, checkedResult);
    throw error;
  }
  return result;
}

/** One read at `position` (-1: the file position); short only at the end of the file. */
export function readStep(
  fd: number,
  view: Uint8Array,
  offset: number,
  length: number,
  position: number,
  flags: number,
): Promise<number> {
  return checked(startedEngine()!.read(fd, view, offset, length, position, flags), view, 'read');
}

/** Writes all of `view`, in as many steps as the kernel needs. */
export async function writeAll(fd: number, view: Uint8Array, position: number, flags: number): Promise<void> {
  let done = 0;
  while (done < view.byteLength) {
    const at = position < 0 ? position : position + done;
    done += await checked(startedEngine()!.write(fd, view, done, view.byteLength - done, at, flags), view, 'write');
  }
}

export async function syncStep(fd: number, flags: number): Promise<void> {
  await checked(startedEngine()!.sync(fd, 0, flags), undefined, 'fsync');
}

const S_IFMT = 0o170000;
const S_IFREG = 0o100000;
const MODE = 1;
const SIZE = 8;

// From what the addon has just written.
const foundSize = (): number => ((pathNumbers[MODE]! & S_IFMT) === S_IFREG ? pathNumbers[SIZE]! : 0);

function sizeOfAccepted(native: Addon, answer: number): Promise<number> {
  return new Promise((resolve) => {
    settleWith(answer, {
      keepAlive: undefined,
      callsBack: false,
      settle(result) {
        if (result === 0) native.takeStat(ACCEPTED - answer, 0);
        resolve(result === 0 ? foundSize() : result);
      },
    });
  });
}

/**
 * The size of an open file, 0 for a block device; throws `FallbackSignal` for what is not the engine's, and for files
 * larger than `sizeMax`, which node refuses.
 */
export async function sizeStep(fd: number, sizeMax: number, flags: number): Promise<number> {
  const native = startedEngine()!;
  const answer = native.fstat(fd, 0, flags);
  if (answer === 0) return unlessLarger(foundSize(), sizeMax);
  const result = answer === UNSUPPORTED ? answer : await sizeOfAccepted(native, answer);
  return unlessLarger(checkedResult(result, 'fstat'), sizeMax);
}

function unlessLarger(size: number, sizeMax: number): number {
  if (size > sizeMax) throw FallbackSignal;
  return size;
}
