// Recursive readdir, of all below a directory: plainly well-formed calls as the engine takes them, undefined for those
// that node:fs is to judge.

import { join } from 'node:path';
import { type PoolJob, startWithPromise } from '../engine/pool-job';
import { type Addon, TREE_LEVELS, TREE_TYPES } from '../native/addon';
import { makeDirents } from '../node/dirents';

/** So many directories go with one pool job: in a wide tree many more may wait for theirs. Level by level all go. */
const DIRECTORIES_MAX = 1024;

const SEPARATOR = '\0';

/** The names in a text that has a separator behind each. */
function listed(text: string): string[] {
  const names = text.split(SEPARATOR);
  names.pop();
  return names;
}

/** Stands for bytes that are no UTF-8. Node looks for the name as it is decoded, so the call is node's to answer. */
const REPLACEMENT = '\u{fffd}';

/** A part `..` behind a name: node takes both out of the path, although the name may be a link. */
export function goesBack(path: string): boolean {
  return `/${`${path}/`.replace(/^(?:\.{1,2}\/+)+/, '')}`.includes('/../');
}

class TreeListingJob implements PoolJob {
  readonly found: unknown[] = [];
  /** Directories that are still to be read, from `path`; the last of them first. */
  readonly left: string[] = [''];

  constructor(
    readonly path: string,
    /** TREE_TYPES and others. */
    readonly options: number,
    readonly fallback: () => unknown,
  ) {}

  get withTypes(): boolean {
    return (this.options & TREE_TYPES) !== 0;
  }

  get syscall(): string {
    return 'scandir';
  }

  get chained(): boolean {
    return true;
  }

  accept(native: Addon, pathFlags: number): number {
    const count = this.options & TREE_LEVELS ? this.left.length : DIRECTORIES_MAX;
    const below = this.left.splice(-count).join(SEPARATOR);
    return native.readTree(this.path, this.options, below, pathFlags);
  }

  /** A promise where directories are left. */
  value(_result: number, slot: number, native: Addon): unknown {
    const found = native.takeText(slot);
    if (found.includes(REPLACEMENT)) return this.fallback();
    for (const directory of listed(native.takeLeft(slot))) this.left.push(directory);
    const pieces = listed(found);
    if (this.withTypes) this.addDirents(pieces);
    else for (const name of pieces) this.found.push(name);
    return this.left.length === 0 ? this.found : startWithPromise(this, this.fallback);
  }

  async resume(slot: number, native: Addon): Promise<unknown> {
    return this.value(0, slot, native);
  }

  private addDirents(pieces: string[]): void {
    for (let at = 0; at < pieces.length; ) {
      const directory = pieces[at++]!;
      const types = pieces[at++]!;
      const path = directory === '' ? this.path : join(this.path, directory);
      const names = pieces.slice(at, at + types.length);
      at += types.length;
      for (const dirent of makeDirents(names, types, path)) this.found.push(dirent);
    }
  }
}

/** `fallback`: node's readdir, for a tree in which something is in the way. */
export function treeListingJob(
  path: unknown,
  withTypes: boolean,
  order: number,
  fallback: () => unknown,
): PoolJob | undefined {
  if (typeof path !== 'string' || goesBack(path)) return undefined;
  return new TreeListingJob(path, order | (withTypes ? TREE_TYPES : 0), fallback);
}
