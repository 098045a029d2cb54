// How the operations of a FileHandle end: constant objects (engine/requests.ts), and calls of node's own methods.

import type { FileHandle as NodeFileHandle } from 'node:fs/promises';
import { countDelegated } from '../engine/engine';
import type { Ending } from '../engine/requests';
import { countDelegatedBytes } from '../engine/stats';
import type { HandleParts } from '../node/file-handle-parts';
import { readResult, readvResult, writevResult, writtenResult } from '../node/results';

export type IoFileHandle = NodeFileHandle;
export type Counted = Record<symbol, () => void>;
export type HostMethods = Record<string, (...args: unknown[]) => Promise<unknown>>;

/** A text on its way: node shows the text, the kernel reads the bytes. */
export interface WrittenText {
  bytes: Buffer;
  text: string;
  encoding: unknown;
}

/**
 * The views of one vectored operation, in an array that nobody else can change: it keeps their memory alive while the
 * kernel uses it. `given` is the caller's array, which the result shows.
 */
export type KeptViews = NodeJS.ArrayBufferView[] & { given: NodeJS.ArrayBufferView[] };

export function keepViews(given: NodeJS.ArrayBufferView[]): KeptViews {
  return Object.assign([...given], { given });
}

/** One ending for each operation. */
export interface Endings {
  read: Ending;
  write: Ending;
  text: Ending;
  readv: Ending;
  writev: Ending;
  sync: Ending;
  datasync: Ending;
  truncate: Ending;
}

/** Waits for a call of node's and counts it, with the bytes that its result names under `bytes`. */
export async function counted(call: Promise<unknown>, bytes: string): Promise<unknown> {
  countDelegated();
  const result = await call;
  countDelegatedBytes((result as Record<string, number>)[bytes] ?? 0);
  return result;
}

const noValue = (): undefined => undefined;

export function makeEndings(parts: HandleParts): Endings {
  const { unref } = parts;
  const host = parts.Base.prototype as unknown as HostMethods;
  const released = (owner: object): void => (owner as Counted)[unref]!();
  const ending = (syscall: string, value: Ending['value'], again: Ending['again']): Ending => {
    return { syscall, value, again, released };
  };
  const given = (kept: unknown): unknown => (kept as KeptViews).given;
  return {
    read: ending('read', readResult, ({ owner, subject, offset, length, position }) =>
      counted(host.read!.call(owner, subject, offset, length, position), 'bytesRead'),
    ),
    write: ending('write', writtenResult, ({ owner, subject, offset, length, position }) =>
      counted(host.write!.call(owner, subject, offset, length, position), 'bytesWritten'),
    ),
    text: ending(
      'write',
      (result, written) => writtenResult(result, (written as WrittenText).text),
      ({ owner, subject, position }) => {
        const { text, encoding } = subject as WrittenText;
        return counted(host.write!.call(owner, text, position, encoding), 'bytesWritten');
      },
    ),
    readv: ending(
      'read',
      (result, kept) => readvResult(result, given(kept)),
      ({ owner, subject, position }) => counted(host.readv!.call(owner, given(subject), position), 'bytesRead'),
    ),
    writev: ending(
      'write',
      (result, kept) => writevResult(result, given(kept)),
      ({ owner, subject, position }) => counted(host.writev!.call(owner, given(subject), position), 'bytesWritten'),
    ),
    sync: ending('fsync', noValue, ({ owner }) => host.sync!.call(owner)),
    datasync: ending('fdatasync', noValue, ({ owner }) => host.datasync!.call(owner)),
    truncate: ending('ftruncate', noValue, ({ owner, length }) => host.truncate!.call(owner, length)),
  };
}
