// rm as one pool job, with a callback and as a promise: plainly well-formed calls as the engine takes them, undefined
// for those that node:fs is to judge.

import { isOptions, shownPath, tryParsePath } from '../engine/arguments';
import type { Path, PoolJob } from '../engine/pool-job';
import type { Addon } from '../native/addon';
import { callbackForm, promiseForm, type TryParseJob } from './pool-job-forms';
import { goesBack } from './readdir-recursive';

class RemoveJob implements PoolJob {
  constructor(
    readonly path: Path,
    readonly recursive: boolean,
    readonly force: boolean,
    readonly fallback: () => unknown,
  ) {}

  get syscall(): string {
    return 'rm';
  }

  get chained(): boolean {
    return true;
  }

  accept(native: Addon, pathFlags: number): number {
    return native.removeTree(this.path, this.recursive ? 1 : 0, this.force ? 1 : 0, pathFlags);
  }

  value(): undefined {
    return undefined;
  }
}

const isCount = (value: unknown): boolean =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 31;

const OPTIONS: Record<string, (value: unknown) => boolean> = {
  recursive: (value) => typeof value === 'boolean',
  force: (value) => typeof value === 'boolean',
  maxRetries: isCount,
  retryDelay: isCount,
};

/**
 * `fallback`: node's rm with a promise, which goes on with what is left, tries again as often as it is told to, and
 * raises the errors.
 */
const tryParseRm: TryParseJob = (file, value, _, fallback) => {
  if (value !== undefined && !isOptions(value)) return undefined;
  // As node does it, which counts no inherited ones.
  const options: Record<string, unknown> = { ...value };
  for (const key in options) if (!OPTIONS[key]?.(options[key])) return undefined;
  const path = tryParsePath(file);
  // Behind a name, `..` is gone with the directory.
  if (path === undefined || goesBack(typeof path === 'string' ? path : shownPath(path))) return undefined;
  return new RemoveJob(path, options.recursive === true, options.force === true, fallback);
};

/** fs.rm. */
export const rm = callbackForm('rm', tryParseRm, { required: 1, optional: true });
/** fs.promises.rm. */
export const rmPromise = promiseForm('rm', tryParseRm);
