// copyFile as one pool job, with a callback and as a promise.

import { tryParsePath } from '../engine/arguments';
import type { Path, PoolJob } from '../engine/pool-job';
import type { Addon } from '../native/addon';
import { uvHabits } from '../node/uv';
import { callbackForm, promiseForm } from './pool-job-forms';

class CopyFileJob implements PoolJob {
  constructor(
    readonly path: Path,
    readonly target: Path,
    readonly options: number,
  ) {}

  get syscall(): string {
    return 'copyfile';
  }

  get chained(): boolean {
    return false;
  }

  accept(native: Addon, pathFlags: number): number {
    return native.copyFile(this.path, this.target, this.options, pathFlags);
  }

  value(): undefined {
    return undefined;
  }
}

/** COPYFILE_EXCL, COPYFILE_FICLONE and COPYFILE_FICLONE_FORCE. */
const ALL_MODES = 7;

function tryParseCopyFile(from: unknown, to: unknown, mode: unknown = 0): PoolJob | undefined {
  const isMode = typeof mode === 'number' && Number.isInteger(mode) && mode >= 0 && mode <= ALL_MODES;
  const path = isMode && uvHabits !== undefined ? tryParsePath(from) : undefined;
  const target = path === undefined ? undefined : tryParsePath(to);
  return target === undefined ? undefined : new CopyFileJob(path!, target, (mode as number) | uvHabits!.copyOptions);
}

/** fs.copyFile. */
export const copyFile = callbackForm('copyFile', tryParseCopyFile, { required: 2, optional: true });
/** fs.promises.copyFile. */
export const copyFilePromise = promiseForm('copyFile', tryParseCopyFile);
