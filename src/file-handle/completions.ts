// How the operations of a FileHandle complete: constant objects (engine/requests.ts), and calls of node's own methods.

import type { FileHandle as NodeFileHandle } from 'node:fs/promises';
import type { Completion } from '../engine/requests';
import { countDelegated, countDelegatedBytes } from '../engine/stats';
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
 * kernel uses it. `shown` is the program's array, which the result shows.
 */
export type KeptViews = NodeJS.ArrayBufferView[] & { shown: NodeJS.ArrayBufferView[] };

export function keepViews(shown: NodeJS.ArrayBufferView[]): KeptViews {
  return Object.assign([...shown], { shown });
}

/** One for each operation. */
export interface Completions {
  read: Completion;
  write: Completion;
  text: Completion;
  readv: Completion;
  writev: Completion;
  sync: Completion;
  datasync: Completion;
  truncate: Completion;
  chmod: Completion;
  chown: Completion;
  utimes: Completion;
}

/** Waits for a call of node's and counts it, with the bytes that its result names under `bytes`. */
export async function countedTransfer(call: Promise<unknown>, bytes: string): Promise<unknown> {
  countDelegated();
  const result = await call;
  countDelegatedBytes((result as Record<string, number>)[bytes] ?? 0);
  return result;
}

const noValue = (): undefined => undefined;

export function makeCompletions(parts: HandleParts): Completions {
  const { unref } = parts;
  const node = parts.Base.prototype as unknown as NodeMethods;
  const released = (owner: object): void => (owner as Counted)[unref]!();
  const completion = (syscall: string, value: Completion['value'], fallback: Completion['fallback']): Completion => {
    return { syscall, value, fallback, released };
  };
  const shownOf = (kept: unknown): unknown => (kept as KeptViews).shown;
  return {
    read: completion('read', readResult, ({ owner, keepAlive, offset, length, position }) =>
      countedTransfer(node.read!.call(owner, keepAlive, offset, length, position), 'bytesRead'),
    ),
    write: completion('write', writtenResult, ({ owner, keepAlive, offset, length, position }) =>
      countedTransfer(node.write!.call(owner, keepAlive, offset, length, position), 'bytesWritten'),
    ),
    text: completion(
      'write',
      (result, written) => writtenResult(result, (written as WrittenText).text),
      ({ owner, keepAlive, position }) => {
        const { text, encoding } = keepAlive as WrittenText;
        return countedTransfer(node.write!.call(owner, text, position, encoding), 'bytesWritten');
      },
    ),
    readv: completion(
      'read',
      (result, kept) => readvResult(result, shownOf(kept)),
      ({ owner, keepAlive, position }) =>
        countedTransfer(node.readv!.call(owner, shownOf(keepAlive), position), 'bytesRead'),
    ),
    writev: completion(
      'write',
      (result, kept) => writevResult(result, shownOf(kept)),
      ({ owner, keepAlive, position }) =>
        countedTransfer(node.writev!.call(owner, shownOf(keepAlive), position), 'bytesWritten'),
    ),
    sync: completion('fsync', noValue, ({ owner }) => node.sync!.call(owner)),
    datasync: completion('fdatasync', noValue, ({ owner }) => node.datasync!.call(owner)),
    truncate: completion('ftruncate', noValue, ({ owner, length }) => node.truncate!.call(owner, length)),
    // Their arguments are where a read has offset and length.
    chmod: completion('fchmod', noValue, ({ owner, offset }) => node.chmod!.call(owner, offset)),
    chown: completion('fchown', noValue, ({ owner, offset, length }) => node.chown!.call(owner, offset, length)),
    utimes: completion('futime', noValue, ({ owner, offset, length }) => node.utimes!.call(owner, offset, length)),
  };
}
