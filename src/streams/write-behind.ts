// What a write stream has taken from the program and the file has not got yet: a ring of memory, filled at one end by
// the program's chunks and emptied at the other by the engine. While one write runs, the next one gathers, so however
// small the chunks are, the writes are large and nobody waits for a thread to wake up between them.
//
// Chunks are copied: a program may use its memory again as soon as it hears 'drain'. The ring is the bound of what is
// on its way: 1 MiB, 4 MiB with O_DIRECT.
//
// Writes that extend the file go one at a time, so that what is in the file is always a prefix, whatever fails and
// whenever the process is killed. Only with O_DIRECT and inside the file several are in flight.

import { resultOf } from '../engine/requests';
import { NOT_TAKEN } from '../engine/runtime';
import { systemErrorWithoutFrames } from '../internal/errors';
import { hostFs } from '../internal/host';
import type { Addon } from '../native/addon';
import { makeChunk } from './chunks';

const RING_BYTES = 1024 * 1024;
const DIRECT_RING_BYTES = 4 * 1024 * 1024;
/** One write moves up to this much: half a ring, so that the other half can be filled meanwhile. */
const WRITE_BYTES = RING_BYTES / 2;
const DIRECT_WRITE_BYTES = DIRECT_RING_BYTES / 2;
/** One of several direct overwrites in flight. */
const OVERWRITE_BYTES = 1024 * 1024;
/** Of offsets and lengths with O_DIRECT. */
const BLOCK = 4096;
/** The file position. */
const CURRENT = -1;
const EIO = -5;
/** Rings kept for the next stream: most programs write one file after the other. */
const SPARE_RINGS_MAX = 2;

/** Where the bytes go. */
export interface Target {
  fd: number;
  direct: boolean;
  /** Bytes before the end of the file, for O_DIRECT: overwrites may overlap. */
  size: number;
  /** Position of the first byte; CURRENT for the file position, which each write moves. */
  start: number;
}

interface Write {
  end: number;
  /** Nothing may run beside it. */
  alone: boolean;
  /** Bytes that did not get into the file; undefined while it is in flight. */
  missing: number | undefined;
}

interface Waiter {
  /** Called once this many bytes are in the file, or none will follow. */
  upTo: number;
  resolve: () => void;
}

const spareRings = new Map<boolean, Buffer[]>();

function takeRing(direct: boolean): Buffer {
  return spareRings.get(direct)?.pop() ?? makeChunk(direct ? DIRECT_RING_BYTES : RING_BYTES, direct);
}

function giveRing(ring: Buffer, direct: boolean): void {
  const spare = spareRings.get(direct) ?? [];
  if (spare.length < SPARE_RINGS_MAX) spare.push(ring);
  spareRings.set(direct, spare);
}

// Bytes are counted from the first one that this object has taken: `written` <= `sent` <= `taken`.
export class WriteBehind {
  private ring: Buffer | undefined;
  private readonly bytes: number;
  private taken = 0;
  private sent = 0;
  private written = 0;
  private writes: Write[] = [];
  private waiters: Waiter[] = [];
  /** Everything goes out, the last incomplete block too. */
  private flushing = false;
  private hasGap = false;
  /** The first error: nothing is written after it. */
  failure: Error | undefined;

  constructor(
    private readonly native: Addon,
    private readonly target: Target,
    private readonly onWritten: (bytes: number) => void,
    private readonly onFailure: (error: Error) => void,
  ) {
    this.bytes = target.direct ? DIRECT_RING_BYTES : RING_BYTES;
  }

  /** Nothing is on its way. */
  get idle(): boolean {
    return this.written === this.taken || (this.failure !== undefined && this.writes.length === 0);
  }

  /** Says where the next byte goes; only while nothing is on its way. */
  moveTo(position: number): void {
    this.target.start = position - this.taken;
  }

  /** Copies as much of the chunk as there is room for, from `offset` on, and returns how much that was. */
  take(chunk: Uint8Array, offset: number): number {
    this.ring ??= takeRing(this.target.direct);
    const count = Math.min(this.bytes - (this.taken - this.written), chunk.byteLength - offset);
    for (let done = 0; done < count; ) {
      const at = this.indexOf(this.taken);
      const part = Math.min(count - done, this.bytes - at);
      const from = chunk.byteOffset + offset + done;
      this.ring.set(new Uint8Array(chunk.buffer, from, part), at);
      this.taken += part;
      done += part;
    }
    return count;
  }

  /** Starts what can be started. False: the file is not the engine's to write, and nothing has been. */
  pump(): boolean {
    while (this.failure === undefined) {
      const count = this.nextBytes();
      if (count === 0) return true;
      if (!this.send(count)) return false;
    }
    return true;
  }

  /** Resolves once everything that was taken so far is in the file, or never will be: see `failure`. */
  settled(): Promise<void> {
    // Bytes behind the last whole block wait for more of them, or for flush().
    const upTo = this.target.direct && !this.flushing ? this.taken - (this.positionOf(this.taken) % BLOCK) : this.taken;
    return this.when(upTo);
  }

  /** Resolves once there is room. */
  room(): Promise<void> {
    return this.when(Math.min(this.taken, this.written + 1));
  }

  /** Writes what is left. No chunk may follow. */
  flush(): Promise<void> {
    this.flushing = true;
    this.pump();
    return this.settled();
  }

  /** Forgets what has been taken: the caller has another way to write it. */
  drop(): void {
    this.taken = this.sent = this.written;
  }

  /** Gives the memory back; only when idle. */
  release(): void {
    if (this.ring !== undefined && this.writes.length === 0) giveRing(this.ring, this.target.direct);
    this.ring = undefined;
  }

  /**
   * Hands everything that is left to the engine in one write, for a process that ends now. Whoever calls this has
   * waited for the writes in flight, but not heard how they ended: where that can be done, they are done again.
   */
  sendRest(): void {
    const from = this.target.start === CURRENT ? this.sent : this.written;
    if (this.failure !== undefined || from === this.taken) return;
    const start = this.indexOf(from);
    const first = this.ring!.subarray(start, Math.min(this.bytes, start + this.taken - from));
    const views = [first, this.ring!.subarray(0, this.taken - from - first.length)].filter((view) => view.length > 0);
    void resultOf(this.native.writev(this.target.fd, views, this.positionOf(from), 0), views);
  }

  private positionOf(count: number): number {
    return this.target.start === CURRENT ? CURRENT : this.target.start + count;
  }

  // With O_DIRECT memory and file are aligned alike.
  private indexOf(count: number): number {
    const { direct, start } = this.target;
    return (count + (direct ? ((start % BLOCK) + BLOCK) % BLOCK : 0)) % this.bytes;
  }

  private nextBytes(): number {
    const { direct, size } = this.target;
    const last = this.writes[this.writes.length - 1];
    if (last !== undefined && (!direct || last.alone)) return 0;
    let count = Math.min(this.taken - this.sent, this.bytes - this.indexOf(this.sent));
    if (!direct) return Math.min(count, WRITE_BYTES);
    const position = this.positionOf(this.sent);
    const misaligned = position % BLOCK;
    if (misaligned > 0) {
      if (count < BLOCK - misaligned && !this.flushing) return 0;
      return last === undefined ? Math.min(count, BLOCK - misaligned) : 0;
    }
    if (count < BLOCK) return this.flushing && last === undefined ? count : 0;
    const untilWrap = this.bytes - this.indexOf(this.sent);
    count -= count % BLOCK;
    if (position + count <= size || position + OVERWRITE_BYTES <= size) {
      const overwrite = Math.min(count, OVERWRITE_BYTES);
      // Beside others only a large one goes: what is there now gathers until they end.
      const isLarge = overwrite === OVERWRITE_BYTES || overwrite === untilWrap || this.flushing;
      return last === undefined || isLarge ? overwrite : 0;
    }
    return last === undefined ? Math.min(count, DIRECT_WRITE_BYTES) : 0;
  }

  private send(count: number): boolean {
    const from = this.sent;
    const at = this.indexOf(from);
    const position = this.positionOf(from);
    const { fd, direct, size } = this.target;
    const view = this.ring!.subarray(at, at + count);
    const answer = this.native.write(fd, view, 0, count, position, 0);
    if (answer === NOT_TAKEN && from === 0) return false;
    this.sent += count;
    const unaligned = position % BLOCK !== 0 || count % BLOCK !== 0;
    const write: Write = { end: this.sent, alone: !direct || unaligned || position + count > size, missing: undefined };
    this.writes.push(write);
    this.finish(write, view, position, answer);
    return true;
  }

  /** Sees one write through: all of it, or an error. */
  private async finish(write: Write, view: Buffer, start: number, answer: number): Promise<void> {
    let rest = view;
    let position = start;
    let result = await resultOf(answer, rest);
    for (;;) {
      if (result === NOT_TAKEN) result = await this.writeByNode(rest, position);
      if (result <= 0) break;
      rest = rest.subarray(result);
      if (rest.length === 0) break;
      if (position !== CURRENT) position += result;
      result = await resultOf(this.native.write(this.target.fd, rest, 0, rest.length, position, 0), rest);
    }
    write.missing = rest.length;
    const failsNow = rest.length > 0 && this.failure === undefined;
    if (failsNow) this.failure = systemErrorWithoutFrames(result === 0 ? EIO : result, 'write');
    this.settle();
    if (failsNow) this.onFailure(this.failure!);
  }

  // The number has come to mean another file, or none: node says so.
  private writeByNode(view: Buffer, position: number): Promise<number> {
    return new Promise((resolve) => {
      const at = position === CURRENT ? null : position;
      hostFs.write(this.target.fd, view, 0, view.length, at, (error, count) => resolve(error?.errno ?? count));
    });
  }

  private settle(): void {
    const before = this.written;
    for (let first = this.writes[0]; first?.missing !== undefined; first = this.writes[0]) {
      this.writes.shift();
      // What lies behind a gap does not count.
      if (!this.hasGap) this.written = first.end - first.missing;
      if (first.missing > 0) this.hasGap = true;
    }
    if (this.written > before) this.onWritten(this.written - before);
    this.pump();
    this.callWaiters();
  }

  private when(upTo: number): Promise<void> {
    if (this.written >= upTo || this.idle) return Promise.resolve();
    return new Promise((resolve) => this.waiters.push({ upTo, resolve }));
  }

  private callWaiters(): void {
    const over = this.idle;
    const { written } = this;
    const called = this.waiters.filter(({ upTo }) => over || upTo <= written);
    if (called.length === 0) return;
    this.waiters = this.waiters.filter((waiter) => !called.includes(waiter));
    for (const { resolve } of called) resolve();
  }
}
