// fs.Stats and fs.BigIntStats, made by node's own constructors from what the engine has found. Their arguments are
// positional and changed between versions, so the objects are compared with node's once before the first is handed out.

import type { BigIntStats, Stats } from 'node:fs';
import { PATH_BIGINT, pathIntegers, pathNumbers } from '../native/addon';
import { nodeFs } from './fs';

type Make = () => Stats | BigIntStats;
type Constructor = new (...fields: unknown[]) => Stats & BigIntStats;

interface Makers {
  numbers: Make;
  integers: Make;
}

/** Where the times are: seconds and nanoseconds of access, modification, change and birth. */
const TIMES = 10;
const NS_PER_S = 1_000_000_000n;

const milliseconds = (index: number): number => pathNumbers[index]! * 1000 + pathNumbers[index + 1]! / 1_000_000;
const nanoseconds = (index: number): bigint => pathIntegers[index]! * NS_PER_S + pathIntegers[index + 1]!;

// Until Node 24: times in milliseconds.
function numbersWithMilliseconds(Class: Constructor): Make {
  const n = pathNumbers;
  return () =>
    new Class(
      n[0],
      n[1],
      n[2],
      n[3],
      n[4],
      n[5],
      n[6],
      n[7],
      n[8],
      n[9],
      milliseconds(TIMES),
      milliseconds(TIMES + 2),
      milliseconds(TIMES + 4),
      milliseconds(TIMES + 6),
    );
}

// Since Node 26: seconds and nanoseconds of each time.
function numbersWithSeconds(Class: Constructor): Make {
  const n = pathNumbers;
  // One by one: a spread goes through the iterator of the array, and takes three times as long.
  return () =>
    new Class(
      n[0],
      n[1],
      n[2],
      n[3],
      n[4],
      n[5],
      n[6],
      n[7],
      n[8],
      n[9],
      n[10],
      n[11],
      n[12],
      n[13],
      n[14],
      n[15],
      n[16],
      n[17],
    );
}

function integersWithNanoseconds(Class: Constructor): Make {
  return () =>
    new Class(
      ...pathIntegers.subarray(0, TIMES),
      nanoseconds(TIMES),
      nanoseconds(TIMES + 2),
      nanoseconds(TIMES + 4),
      nanoseconds(TIMES + 6),
    );
}

const NUMBER_MAKERS: Record<number, (Class: Constructor) => Make> = {
  14: numbersWithMilliseconds,
  18: numbersWithSeconds,
};

/** What node would have found of the file that these are the attributes of. */
function fillIn(stats: BigIntStats): void {
  const { dev, mode, nlink, uid, gid, rdev, blksize, ino, size, blocks } = stats;
  const times = [stats.atimeNs, stats.mtimeNs, stats.ctimeNs, stats.birthtimeNs];
  const fields = [dev, mode, nlink, uid, gid, rdev, blksize, ino, size, blocks];
  pathIntegers.set([...fields, ...times.flatMap((time) => [time / NS_PER_S, time % NS_PER_S])]);
  pathNumbers.set(Array.from(pathIntegers, Number));
}

function areEqual(ours: object, nodes: object): boolean {
  const keys = Reflect.ownKeys(nodes);
  const value = (object: object, key: PropertyKey): unknown => {
    const found = (object as Record<PropertyKey, unknown>)[key];
    return found instanceof Date ? found.getTime() : found;
  };
  return (
    Object.getPrototypeOf(ours) === Object.getPrototypeOf(nodes) &&
    Reflect.ownKeys(ours).length === keys.length &&
    Reflect.ownKeys(ours).every((key, index) => key === keys[index] && value(ours, key) === value(nodes, key))
  );
}

let makers: Makers | undefined;
let searched = false;

/** Compares our objects of a file with node's. False when that says nothing, because the file changed meanwhile. */
function findMakers(): boolean {
  const file = process.execPath;
  const [numbers, integers] = [nodeFs.statSync(file), nodeFs.statSync(file, { bigint: true })];
  const [Numbers, Integers] = [numbers.constructor as Constructor, integers.constructor as Constructor];
  const makeNumbers = NUMBER_MAKERS[Numbers.length]?.(Numbers);
  if (makeNumbers === undefined || Integers.length !== 14) return true;
  const found = { numbers: makeNumbers, integers: integersWithNanoseconds(Integers) };
  fillIn(integers);
  if (areEqual(found.numbers(), numbers) && areEqual(found.integers(), integers)) makers = found;
  return makers !== undefined || areEqual(nodeFs.statSync(file), numbers);
}

/**
 * True when the objects can be made here; looked at until the answer is certain, and until then node makes them. The
 * numbers of the last call are lost then.
 */
export function canMakeStats(): boolean {
  if (!searched) {
    try {
      searched = findMakers();
    } catch {
      return false; // no memory, or the file of this process has been replaced: it may be there again
    }
  }
  return makers !== undefined;
}

/** The object for the numbers that the addon has just written; after `canMakeStats()`. */
export function makeStats(pathFlags: number): Stats | BigIntStats {
  return (pathFlags & PATH_BIGINT) === 0 ? makers!.numbers() : makers!.integers();
}
