// A file of up to 1 MiB in one trip to the pool: opened, written, synced if asked to, and closed. What is no file of the
// engine's comes back as an open descriptor, and so does one that could not be written.

import { constants } from 'node:fs';
import { types } from 'node:util';
import { byNode, closingAfter } from '../descriptor/fallback-handle';
import { DIRECT_AS_FLAGS, type OpenArguments } from '../descriptor/open';
import { FallbackSignal } from '../descriptor/transfers';
import type { FileOptions } from '../engine/file-options';
import type { PoolJob } from '../engine/pool-job';
import { type Addon, pathNumbers, WRITE_STEPS } from '../native/addon';
import { systemError } from '../node/errors';
import { nodePromises } from '../node/promises';

/** limits::whole_write_bytes of csrc/base/limits.h. */
const ONE_TRIP_BYTES_MAX = 1024 * 1024;

/** The call, if the file can be written in one trip. */
export function oneTrip(asked: OpenArguments, data: unknown, plain: FileOptions): WholeWrite | undefined {
  const whole = types.isUint8Array(data) && data.byteLength <= ONE_TRIP_BYTES_MAX && plain.signal === undefined;
  const direct = asked.direct !== DIRECT_AS_FLAGS || (asked.flags & constants.O_DIRECT) !== 0;
  return whole && !direct ? new WholeWrite(asked, data, plain.flush) : undefined;
}

class WholeWrite implements PoolJob {
  constructor(
    readonly asked: OpenArguments,
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
    return this.asked.path;
  }

  accept(native: Addon, pathFlags: number): number {
    const { asked, data, flush } = this;
    return native.writeFile(asked.path, data, asked.flags, asked.mode, flush ? 1 : 0, pathFlags);
  }

  value(): undefined {
    return undefined;
  }

  resume(slot: number, native: Addon): Promise<void> {
    native.takeWrite(slot);
    const [fd, step, errno] = pathNumbers as unknown as [number, number, number];
    const failed = WRITE_STEPS[step];
    return failed === undefined ? this.writeByNode(fd) : failedAt(failed, errno, fd);
  }

  private writeByNode(fd: number): Promise<void> {
    const { data, flush } = this;
    return closingAfter(fd, notOurs, async (handle) => {
      await byNode(nodePromises.writeFile(handle, data));
      if (flush) await handle.sync();
    });
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
