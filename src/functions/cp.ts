// cp as one request: plainly well-formed calls as the engine takes them, undefined for those that node:fs is to judge.

import { resolve } from 'node:path';
import { isOptions, tryParsePath } from '../engine/arguments';
import { countDelegated } from '../engine/engine';
import type { PoolJob } from '../engine/pool-job';
import { type Addon, COPY_ONLY_FOLDERS, COPY_RECURSIVE, COPY_VERBATIM_LINKS } from '../native/addon';
import { WALKS_FROM_JAVASCRIPT } from '../node/fs';
import { nodePromises } from '../node/promises';
import { goesBack } from './readdir-recursive';

const SEPARATOR = '\0';

class Copying implements PoolJob {
  constructor(
    readonly path: string,
    readonly target: string,
    readonly options: number,
    readonly again: () => unknown,
  ) {}

  get syscall(): string {
    return 'cp';
  }

  get chained(): boolean {
    return true;
  }

  accept(native: Addon, pathFlags: number): number {
    return native.copyTree(this.path, this.target, this.options, pathFlags);
  }

  value(): undefined {
    return undefined;
  }

  /** The engine stopped at what node is to meet. Node leaves the modes of directories that we have made as they are. */
  async resume(slot: number, native: Addon): Promise<unknown> {
    const [complete, ...modes] = native.takeText(slot).split(SEPARATOR);
    countDelegated();
    try {
      await this.again();
    } catch (error) {
      await setModes(modes.slice(0, 2 * Number(complete)));
      throw error;
    }
    return setModes(modes);
  }
}

/** Of each directory its mode and its path. One that is gone by now needs none. */
async function setModes(pieces: readonly string[]): Promise<undefined> {
  for (let at = 0; at < pieces.length; at += 2) {
    await nodePromises.chmod(pieces[at + 1]!, Number(pieces[at])).catch(() => {});
  }
  return undefined;
}

const isBoolean = (value: unknown): boolean => typeof value === 'boolean';
const isOff = (value: unknown): boolean => value === false;

/** With others node is to go through the tree. */
const OPTIONS: Record<string, (value: unknown) => boolean> = {
  recursive: isBoolean,
  verbatimSymlinks: isBoolean,
  errorOnExist: isBoolean,
  force: (value) => value === true,
  dereference: isOff,
  preserveTimestamps: isOff,
  filter: (value) => value === undefined,
  mode: (value) => value === undefined || value === 0,
};

function tryParseOptions(given: unknown): number | undefined {
  if (given !== undefined && !isOptions(given)) return undefined;
  const asked: Record<string, unknown> = { ...given };
  for (const name in asked) if (!OPTIONS[name]?.(asked[name])) return undefined;
  return (asked.recursive ? COPY_RECURSIVE : 0) | (asked.verbatimSymlinks ? COPY_VERBATIM_LINKS : 0);
}

/** A path whose parts mean what they say. */
function tryParseName(given: unknown): string | undefined {
  const path = tryParsePath(given);
  return typeof path === 'string' && path !== '' && !goesBack(path) ? path : undefined;
}

/** Only a directory may stand there. */
const ENDS_WITH_SLASH = /\/\.?$/;

/** `again`: node's cp with a promise. */
export function tryParseCp(from: unknown, to: unknown, given: unknown, again: () => unknown): PoolJob | undefined {
  const source = WALKS_FROM_JAVASCRIPT ? tryParseName(from) : undefined;
  const target = tryParseName(to);
  const options = tryParseOptions(given);
  if (source === undefined || target === undefined || options === undefined) return undefined;
  const path = resolve(source);
  const into = resolve(target);
  if (`${into}/`.startsWith(`${path}/`) || path === '/') return undefined;
  const onlyFolders = ENDS_WITH_SLASH.test(source) || ENDS_WITH_SLASH.test(target);
  return new Copying(path, into, options | (onlyFolders ? COPY_ONLY_FOLDERS : 0), again);
}
