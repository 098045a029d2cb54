// statfs as one pool job, with a callback and as a promise.

import { tryParsePath } from '../engine/arguments';
import type { Path, PoolJob } from '../engine/pool-job';
import { tryParseStatOptions } from '../engine/stat-request';
import type { Addon } from '../native/addon';
import { canMakeStatFs, makeStatFs } from '../node/stat-fs';
import { callbackForm, promiseForm } from './pool-job-forms';

class StatFilesystemJob implements PoolJob {
  constructor(
    readonly path: Path,
    readonly flags: number,
  ) {}

  get syscall(): string {
    return 'statfs';
  }

  get chained(): boolean {
    return false;
  }

  accept(native: Addon, pathFlags: number): number {
    return native.statFilesystem(this.path, pathFlags);
  }

  value(_result: number, slot: number, native: Addon): unknown {
    native.takeFilesystem(slot, this.flags);
    return makeStatFs(this.flags);
  }
}

function tryParseStatfs(value: unknown, options: unknown): PoolJob | undefined {
  const flags = tryParseStatOptions(options);
  const path = flags === undefined || !canMakeStatFs() ? undefined : tryParsePath(value);
  return path === undefined ? undefined : new StatFilesystemJob(path, flags!);
}

/** fs.statfs. */
export const statfs = callbackForm('statfs', tryParseStatfs, { required: 1, optional: true });
/** fs.promises.statfs. */
export const statfsPromise = promiseForm('statfs', tryParseStatfs);
