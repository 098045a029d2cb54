// How the operations of a FileHandle end: constant objects (engine/requests.ts), and calls of node's own methods.

import type { FileHandle as NodeFileHandle } from 'node:fs/promises';
import { countDelegated } from '../engine/engine';
import type { Completion } from '../engine/requests';
import { countDelegatedBytes } from '../engine/stats';
import type { HandleParts } from '../node/file-handle-parts';
import { readResult, readvResult, writevResult, writtenResult } from '../node/results';

export type IoFileHandle = NodeFileHandle;
export type Counted = Record<symbol, () => void>;
export type NodeMethods = Record<string, (...args: unknown[]) => Promise<unknown>>;

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

/** One completion for each operation. */
export interface Completions {
  read: Completion;
  write: Completion;
  text: Completion;
  readv: Completion;
  writev: Completion;
  sync: Completion;
  datasync: Completion;
  truncate: Completion;
}

/** Waits for a call of node's and counts it, with the bytes that its result names under `bytes`. */
export async function counted(call: Promise<unknown>, bytes: string): Promise<unknown> {
  countDelegated();
  const result = await call;
  countDelegatedBytes((result as Record<string, number>)[bytes] ?? 0);
  return result;
}

const noValue = (): undefined => undefined;

export function makeCompletions(parts: HandleParts): Completions {
  const { unref } = parts;
  const host = parts.Base.prototype as unknown as NodeMethods;
  const released = (owner: object): void => (owner as Counted)[unref]!();
  const completion = (syscall: string, value: Completion['value'], again: Completion['again']): Completion => {
    return { syscall, value, again, released };
  };
  const given = (kept: unknown): unknown => (kept as KeptViews).given;
  return {
    read: completion('read', readResult, ({ owner, subject, offset, length, position }) =>
      counted(host.read!.call(owner, subject, offset, length, position), 'bytesRead'),
    ),
    write: completion('write', writtenResult, ({ owner, subject, offset, length, position }) =>
      counted(host.write!.call(owner, subject, offset, length, position), 'bytesWritten'),
    ),
    text: completion(
      'write',
      (result, written) => writtenResult(result, (written as WrittenText).text),
      ({ owner, subject, position }) => {
        const { text, encoding } = subject as WrittenText;
        return counted(host.write!.call(owner, text, position, encoding), 'bytesWritten');
      },
    ),
    readv: completion(
      'read',
      (result, kept) => readvResult(result, given(kept)),
      ({ owner, subject, position }) => counted(host.readv!.call(owner, given(subject), position), 'bytesRead'),
    ),
    writev: completion(
      'write',
      (result, kept) => writevResult(result, given(kept)),
      ({ owner, subject, position }) => counted(host.writev!.call(owner, given(subject), position), 'bytesWritten'),
    ),
    sync: completion('fsync', noValue, ({ owner }) => host.sync!.call(owner)),
    datasync: completion('fdatasync', noValue, ({ owner }) => host.datasync!.call(owner)),
    truncate: completion('ftruncate', noValue, ({ owner, length }) => host.truncate!.call(owner, length)),
  };
}
