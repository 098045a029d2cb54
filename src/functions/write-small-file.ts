// writeFile of up to 1 MiB as one pool job: opened, written, synced if that is wanted, and closed. What is no file of
// the engine's comes back as an open descriptor, and so does one that could not be written.

import { constants } from 'node:fs';
import { types } from 'node:util';
import { closingAfter } from '../descriptor/fallback-handle';
import { DIRECT_AS_FLAGS, type OpenArguments } from '../descriptor/open';
import { writeByNode } from '../descriptor/write-file-job';
import { FallbackSignal } from '../engine/fallback';
import type { FileOptions } from '../engine/file-options';
import type { PoolJob } from '../engine/pool-job';
import { type Addon, pathNumbers, WRITE_STEPS } from '../native/addon';
import { systemError } from '../node/errors';

/** limits::whole_write_bytes of csrc/base/limits.h. */
const SMALL_BYTES_MAX = 1024 * 1024;

/** The job, if the file can be written by one. */
export function smallWriteJob(open: OpenArguments, data: unknown, options: FileOptions): PoolJob | undefined {
  const isSmall = types.isUint8Array(data) && data.byteLength <= SMALL_BYTES_MAX && options.signal === undefined;
  const isDirect = open.direct !== DIRECT_AS_FLAGS || (open.flags & constants.O_DIRECT) !== 0;
  return isSmall && !isDirect ? new SmallWriteJob(open, data, options.flush) : undefined;
}

class SmallWriteJob implements PoolJob {
  constructor(
    readonly open: OpenArguments,
    /** Kept here while the pool reads it. */
    readonly data: Uint8Array,
    readonly flush: boolean,
  ) {}

  get syscall(): string {
    return 'open';
  }

  get chained(): boolean {
    return true;
  }

  get path(): string | Uint8Array {
    return this.open.path;
  }

  accept(native: Addon, pathFlags: number): number {
    const { open, data, flush } = this;
    return native.writeFile(open.path, data, open.flags, open.mode, flush ? 1 : 0, pathFlags);
  }

  value(): undefined {
    return undefined;
  }

  resume(slot: number, native: Addon): Promise<void> {
    native.takeWrite(slot);
    const [fd, step, errno] = pathNumbers as unknown as [number, number, number];
    const failed = WRITE_STEPS[step];
    if (failed !== undefined) return failedAt(failed, errno, fd);
    return closingAfter(fd, notOurs, (handle) => writeByNode(handle, this.data, undefined, this.flush));
  }
}

const notOurs = (): Promise<never> => Promise.reject(FallbackSignal);

async function failedAt(syscall: string, errno: number, fd: number): Promise<void> {
  const fail = async (): Promise<never> => {
    // The error is made when the caller's promise waits for this one: its stack names who awaits it.
    await undefined;
    await undefined;
    throw systemError(errno, syscall);
  };
  // The descriptor of a failed close is gone.
  if (fd < 0) return fail();
  return closingAfter(fd, fail, notOurs);
}
