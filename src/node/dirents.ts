// fs.Dirent objects, made by node's own constructor. How it keeps the type is its secret, so one is compared with
// node's before the first is handed out.

import { Dirent } from 'node:fs';
import { nodeFs } from './fs';

type Constructor = new (name: unknown, type: number, path: unknown) => Dirent;

const Class = Dirent as unknown as Constructor;

/** Types as libuv numbers them: 2 is a directory. */
const DIRECTORY = 2;

// Always there, in memory, and with few entries: directories.
const KNOWN = '/proc/self/task';

function areEqual(ours: object, nodes: object): boolean {
  const [left, right] = [ours, nodes].map((object) =>
    Reflect.ownKeys(object).map((key) => [key, (object as Record<PropertyKey, unknown>)[key]]),
  );
  return (
    Object.getPrototypeOf(ours) === Object.getPrototypeOf(nodes) &&
    left!.length === right!.length &&
    left!.every(([key, value], index) => key === right![index]![0] && value === right![index]![1])
  );
}

let possible: boolean | undefined;

/**
 * True when the objects can be made here; compared once. The comparison needs a descriptor for a moment: without one
 * the answer is no for this call only.
 */
export function canMakeDirents(): boolean {
  if (possible !== undefined) return possible;
  try {
    const [nodes] = nodeFs.readdirSync(KNOWN, { withFileTypes: true });
    possible = nodes !== undefined && areEqual(new Class(nodes.name, DIRECTORY, KNOWN), nodes);
  } catch {
    return false;
  }
  return possible;
}

/** Entries of the directory `path`. `types` has one character or byte for each name. */
export function makeDirents(names: readonly unknown[], types: string | Buffer, path: unknown): Dirent[] {
  const typeOf =
    typeof types === 'string' ? (index: number) => types.charCodeAt(index) : (index: number) => types[index]!;
  return names.map((name, index) => new Class(name, typeOf(index), path));
}
