// The result of statfs, made by node's own constructor, which is found on an object that node has made. Ours are
// compared with that one before the first is handed out.

import type { BigIntStatsFs, StatsFs } from 'node:fs';
import { PATH_BIGINT, pathIntegers, pathNumbers } from '../native/addon';
import { nodeFs } from './fs';

type Constructor = new (...fields: unknown[]) => StatsFs & BigIntStatsFs;

/** In memory always, and on no device: its numbers do not change. */
const KNOWN = '/proc';

/** The fields as the addon has them: `frsize` is the third, which Node has since 24. */
const FIELDS = ['type', 'bsize', 'frsize', 'blocks', 'bfree', 'bavail', 'files', 'ffree'] as const;

/** Where the constructor's arguments are among them. */
const PLACES: Record<number, readonly number[]> = { 7: [0, 1, 3, 4, 5, 6, 7], 8: [0, 1, 2, 3, 4, 5, 6, 7] };

let Class: Constructor | undefined;
let places: readonly number[] | undefined;
let searched = false;

function find(): void {
  const nodes = nodeFs.statfsSync(KNOWN, { bigint: true });
  const Found = nodes.constructor as Constructor;
  const found = PLACES[Found.length];
  if (found === undefined) return;
  const keys = Object.keys(nodes);
  if (keys.length !== found.length || !found.every((place, index) => keys[index] === FIELDS[place])) return;
  Class = Found;
  places = found;
}

/** True when the objects can be made here; looked at once. */
export function canMakeStatFs(): boolean {
  if (!searched) {
    try {
      find();
      searched = true;
    } catch {
      return false; // no memory, or no /proc: another time it may be there
    }
  }
  return places !== undefined;
}

/** The object for the numbers that the addon has just written; after `canMakeStatFs()`. */
export function makeStatFs(pathFlags: number): StatsFs | BigIntStatsFs {
  const numbers: ArrayLike<unknown> = (pathFlags & PATH_BIGINT) === 0 ? pathNumbers : pathIntegers;
  return new Class!(...places!.map((place) => numbers[place]));
}
