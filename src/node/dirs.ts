// fs.Dir objects over an open directory of the engine's. Node's class reads through a private object, so ours has one
// of the engine's in its place, with the methods that the class calls. Which those are, and how, is tried once.

import { Dir } from 'node:fs';

/** The object that a Dir reads through. Without `request`: at once. `context`: where errors go in old versions. */
export interface DirSource {
  /** Names and types in turn, null at the end. */
  read(encoding: unknown, most: number, request?: DirRequest, context?: DirContext): unknown;
  close(request?: DirRequest, context?: DirContext): unknown;
}

/** What waits for an answer of a DirSource. */
export interface DirRequest {
  oncomplete(error: unknown, value?: unknown): void;
}

/** Node raises the error that is put into it. */
export interface DirContext {
  errno?: number;
  code?: string;
  syscall?: string;
}

type Constructor = new (source: DirSource, path: unknown, options: unknown) => Dir;

const Class = Dir as unknown as Constructor;

export const makeDir = (source: DirSource, path: unknown, options: unknown): Dir => new Class(source, path, options);

const isRequest = (value: unknown): value is DirRequest =>
  typeof value === 'object' && value !== null && typeof (value as Partial<DirRequest>).oncomplete === 'function';

const NAME = 'name';
const PATH = '/somewhere';
/** As libuv numbers the types of files: a link. */
const LINK = 3;

/** A Dir over this asks what every Dir asks, and is told of one entry. */
class Trial implements DirSource {
  readonly calls: string[] = [];

  read(encoding: unknown, most: number, request?: DirRequest): unknown {
    this.calls.push(`read ${encoding} ${most} ${isRequest(request) ? 'later' : String(request)}`);
    if (isRequest(request)) request.oncomplete(null, null);
    return [NAME, LINK];
  }

  close(request?: DirRequest): unknown {
    this.calls.push(`close ${isRequest(request) ? 'later' : String(request)}`);
    return undefined;
  }
}

const EXPECTED = ['read latin1 7 undefined', 'read latin1 7 later', 'close later', 'close undefined'];

function isAsExpected(): boolean {
  const trial = new Trial();
  const options = { encoding: 'latin1', bufferSize: 7 };
  const [first, second] = [makeDir(trial, PATH, options), makeDir(trial, PATH, options)];
  const entry = first.readSync();
  let end: unknown;
  first.read((_error, value) => {
    end = value;
  });
  // A close waits for the tick in which the read is over, so another one is closed.
  const third = makeDir(trial, PATH, options);
  third.close(() => {});
  second.closeSync();
  return (
    entry?.name === NAME &&
    entry.isSymbolicLink() &&
    end === null &&
    trial.calls.join() === EXPECTED.join() &&
    first.path === PATH
  );
}

let possible: boolean | undefined;

/** True when a Dir can be made here; tried once. */
export function canMakeDirs(): boolean {
  if (possible === undefined) {
    try {
      possible = isAsExpected();
    } catch {
      possible = false;
    }
  }
  return possible;
}
