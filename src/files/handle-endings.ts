// How the operations of a FileHandle end: constant objects (engine/requests.ts), and calls of node's own methods.

import type { FileHandle as NodeFileHandle } from 'node:fs/promises';
import type { Ending } from '../engine/requests';
import { countDelegated, NOT_TAKEN } from '../engine/runtime';
import { countDelegatedBytes } from '../engine/stats';
import { rejectWithSystemError } from '../internal/errors';
import { readResult, readvResult, writevResult, writtenResult } from '../internal/results';
import type { HandleParts } from './handle-class';

export type IoFileHandle = NodeFileHandle;
export type Counted = Record<symbol, () => void>;
export type HostMethods = Record<string, (...args: unknown[]) => Promise<unknown>>;

/** Where and how much, for a transfer that node has to do after all. */
export type Span = [offset: unknown, length: unknown, position: unknown];

/** A text on its way: node shows the text, the kernel reads the bytes. */
export interface WrittenText {
  bytes: Buffer;
  text: string;
  position: unknown;
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
  // `again` runs node's method: NOT_TAKEN comes this late only for a file that turned out not to be the engine's.
  const ending = (
    syscall: string,
    value: Ending['value'],
    again: (handle: object, subject: unknown, extra: unknown) => Promise<unknown>,
  ): Ending => ({
    value,
    failed(result, subject, owner, extra, resolve) {
      if (result === NOT_TAKEN) resolve(again(owner, subject, extra));
      else rejectWithSystemError(resolve, result, syscall);
    },
    released,
  });
  const given = (kept: unknown): unknown => (kept as KeptViews).given;
  return {
    read: ending('read', readResult, (handle, buffer, span) =>
      counted(host.read!.call(handle, buffer, ...(span as Span)), 'bytesRead'),
    ),
    write: ending('write', writtenResult, (handle, buffer, span) =>
      counted(host.write!.call(handle, buffer, ...(span as Span)), 'bytesWritten'),
    ),
    text: ending(
      'write',
      (result, written) => writtenResult(result, (written as WrittenText).text),
      (handle, written) => {
        const { text, position, encoding } = written as WrittenText;
        return counted(host.write!.call(handle, text, position, encoding), 'bytesWritten');
      },
    ),
    readv: ending(
      'read',
      (result, kept) => readvResult(result, given(kept)),
      (handle, kept, position) => counted(host.readv!.call(handle, given(kept), position), 'bytesRead'),
    ),
    writev: ending(
      'write',
      (result, kept) => writevResult(result, given(kept)),
      (handle, kept, position) => counted(host.writev!.call(handle, given(kept), position), 'bytesWritten'),
    ),
    sync: ending('fsync', noValue, (handle) => host.sync!.call(handle)),
    datasync: ending('fdatasync', noValue, (handle) => host.datasync!.call(handle)),
  };
}
