// A small file in one go: opened, read and closed by one call where all of it is in the kernel's caches, else by one pool
// job. Larger ones, and what is no plain file, come back as an open descriptor.

import { afterPoll } from '../engine/after-poll';
import { shownPath } from '../engine/arguments';
import { startedEngine } from '../engine/engine';
import { settleWith } from '../engine/requests';
import { ACCEPTED, type Addon, UNSUPPORTED } from '../native/addon';
import { rejectWithSystemError } from '../node/errors';

type Content = Buffer | string;

let scratch: Buffer | undefined;

function takeScratch({ shared, setScratch }: Addon): Buffer {
  const memory = shared.scratch();
  setScratch(memory);
  return Buffer.from(memory);
}

/** What a file turns out to need: reading from its descriptor, or all of node's function. */
export interface Otherwise {
  fromDescriptor(fd: number): Promise<Content>;
  fallback(): Promise<Content>;
}

/** All of the file at `path`; undefined when node:fs has to judge the path. */
export function readInOneGo(
  path: string | Uint8Array,
  encoding: BufferEncoding | undefined,
  otherwise: Otherwise,
): Promise<Content> | undefined {
  const native = startedEngine()!;
  scratch ??= takeScratch(native);
  const answer = native.readFile(path, 0);
  if (answer >= 0) return afterPoll(copyOf(scratch, answer, encoding));
  if (answer === UNSUPPORTED) return undefined;
  return new Promise<Content>((resolve) => {
    const settle = (result: number): void => {
      if (result >= 0) resolve(taken(native.takeFile(ACCEPTED - answer), encoding, otherwise));
      else if (result === UNSUPPORTED) resolve(otherwise.fallback());
      else rejectWithSystemError(resolve as (value: unknown) => void, result, 'open', shownPath(path));
    };
    settleWith(answer, { subject: undefined, callsBack: false, settle });
  });
}

function copyOf(bytes: Buffer, length: number, encoding: BufferEncoding | undefined): Content {
  if (encoding !== undefined) return bytes.toString(encoding, 0, length);
  const content = Buffer.allocUnsafeSlow(length);
  bytes.copy(content, 0, 0, length);
  return content;
}

function taken(found: Buffer | number, encoding: BufferEncoding | undefined, otherwise: Otherwise) {
  if (typeof found === 'number') return otherwise.fromDescriptor(found);
  return encoding === undefined ? found : found.toString(encoding);
}
