// Reads and writes on a descriptor as steps of something larger (whole files): plain counts, node's errors.

import { constants } from 'node:fs';
import { resultOf } from '../engine/requests';
import { engine, NOT_TAKEN } from '../engine/runtime';
import { systemError } from '../internal/errors';

/** Thrown inside a chain when the file turns out to be node's to serve: the caller starts over with node:fs. */
export const notTaken: unique symbol = Symbol('not taken');

async function checked(answer: number, subject: unknown, syscall: string): Promise<number> {
  const result = await resultOf(answer, subject);
  if (result === NOT_TAKEN) throw notTaken;
  if (result < 0) {
    const error = systemError(result, syscall);
    Error.captureStackTrace(error, checked);
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
  return checked(engine()!.read(fd, view, offset, length, position, flags), view, 'read');
}

/** Writes all of `view`, in as many steps as the kernel needs. */
export async function writeAll(fd: number, view: Uint8Array, position: number, flags: number): Promise<void> {
  let done = 0;
  while (done < view.byteLength) {
    const at = position < 0 ? position : position + done;
    done += await checked(engine()!.write(fd, view, done, view.byteLength - done, at, flags), view, 'write');
  }
}

export async function syncStep(fd: number, flags: number): Promise<void> {
  await checked(engine()!.sync(fd, 0, flags), undefined, 'fsync');
}

const STATX_BYTES = 256;
const STATX_MODE_OFFSET = 0x1c;
const STATX_SIZE_OFFSET = 0x28;

/**
 * The size of an open file, 0 for a block device; throws `notTaken` for what is not the engine's, and for files larger
 * than `sizeMax`, which node refuses.
 */
export async function sizeStep(fd: number, sizeMax: number, flags: number): Promise<number> {
  const view = Buffer.alloc(STATX_BYTES);
  await checked(engine()!.statx(fd, view, flags), view, 'fstat');
  if ((view.readUInt16LE(STATX_MODE_OFFSET) & constants.S_IFMT) !== constants.S_IFREG) return 0;
  const size = Number(view.readBigUInt64LE(STATX_SIZE_OFFSET));
  if (size > sizeMax) throw notTaken;
  return size;
}
