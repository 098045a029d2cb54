// What a stream with `writeBehind` has taken from the program and the file has not got yet: a ring of memory, filled at
// one end by the program's chunks and emptied at the other by the engine. While one write runs, the next one gathers,
// so however small the chunks are, the writes are large and nobody waits for a thread to wake up between them.
//
// Chunks are copied: a program may use its memory again as soon as it hears 'drain'. The ring's size is the bound of
// what a killed process loses. A process that exits writes it (csrc/binding/write_buffers.h), so the engine sees how
// far the ring is: `state`.
//
// Writes that extend the file go one at a time, so that what is in the file is always a prefix, whatever fails and
// whenever the process is killed. Only with O_DIRECT and inside the file several are in flight.

import { resultOf } from '../engine/requests';
import { type Addon, UNSUPPORTED, WriteBufferWord } from '../native/addon';
import { systemErrorWithoutFrames } from '../node/errors';
import { nodeFs } from '../node/fs';
import { BLOCK, makeChunk } from './stream-memory';

/** One write moves up to half a ring, so that the other half can be filled meanwhile, and no more than this. */
const WRITE_BYTES_MAX = 512 * 1024;
const DIRECT_WRITE_BYTES_MAX = 2 * 1024 * 1024;
/** One of several direct overwrites in flight. */
const OVERWRITE_BYTES = 1024 * 1024;
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

const spareRings: { ring: Buffer; direct: boolean }[] = [];

function takeRing(bytes: number, direct: boolean): Buffer {
  const index = spareRings.findIndex((spare) => spare.direct === direct && spare.ring.length === bytes);
  return index === -1 ? makeChunk(bytes, direct) : spareRings.splice(index, 1)[0]!.ring;
}

function giveRing(ring: Buffer, direct: boolean): void {
  spareRings.push({ ring, direct });
  if (spareRings.length > SPARE_RINGS_MAX) spareRings.shift();
}

const { start, shift, sent, taken } = WriteBufferWord;

// Bytes are counted from the first one that this object has taken: `written` <= `sent` <= `taken`.
export class WriteBuffer {
  private ring: Buffer | undefined;
  private readonly state = new Float64Array(WriteBufferWord.count);
  private readonly writeBytes: number;
  private written = 0;
  private writes: Write[] = [];
  private waiters: Waiter[] = [];
  /** So much goes out even where it is no whole block. */
  private wanted = 0;
  private hasGap = false;
  /** The first error: nothing is written after it. */
  failure: Error | undefined;

  /** `bytes`: of the ring; whole blocks with O_DIRECT. */
  constructor(
    private readonly native: Addon,
    private readonly target: Target,
    private readonly bytes: number,
    private readonly onWritten: (bytes: number) => void,
    private readonly onFailure: (error: Error) => void,
  ) {
    const half = Math.ceil(bytes / 2);
    this.writeBytes = target.direct
      ? Math.min(half - (half % BLOCK), DIRECT_WRITE_BYTES_MAX)
      : Math.min(half, WRITE_BYTES_MAX);
    this.state[WriteBufferWord.fd] = target.fd;
    this.state[start] = target.start;
    // With O_DIRECT memory and file are aligned alike.
    this.state[shift] = target.direct ? target.start % BLOCK : 0;
  }

  /** Nothing is on its way. */
  get idle(): boolean {
    return this.written === this.taken || (this.failure !== undefined && this.writes.length === 0);
  }

  /** Says where the next byte goes; only while nothing is on its way. */
  moveTo(position: number): void {
    this.state[start] = position - this.taken;
  }

  /** Copies as much of the chunk as there is room for, from `offset` on, and returns how much that was. */
  take(chunk: Uint8Array, offset: number): number {
    const ring = this.ring ?? this.makeRing();
    const count = Math.min(this.bytes - (this.taken - this.written), chunk.byteLength - offset);
    for (let done = 0; done < count; ) {
      const at = this.indexOf(this.taken);
      const part = Math.min(count - done, this.bytes - at);
      const from = chunk.byteOffset + offset + done;
      ring.set(new Uint8Array(chunk.buffer, from, part), at);
      this.state[taken] = this.taken + part;
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

  /** Writes what was taken so far, and resolves once that is in the file, or never will be: see `failure`. */
  flush(): Promise<void> {
    this.wanted = this.taken;
    this.pump();
    return this.when(this.taken);
  }

  /** Resolves once there is room. */
  room(): Promise<void> {
    return this.when(Math.min(this.taken, this.written + 1));
  }

  /** Forgets what has been taken: the caller has another way to write it. */
  drop(): void {
    this.state[taken] = this.state[sent] = this.written;
  }

  /** Gives the memory back; only when idle. */
  release(): void {
    if (this.ring === undefined) return;
    this.native.releaseWriteBuffer(this.state.buffer);
    if (this.writes.length === 0) giveRing(this.ring, this.target.direct);
    this.ring = undefined;
  }

  private get taken(): number {
    return this.state[taken]!;
  }

  private get sent(): number {
    return this.state[sent]!;
  }

  private makeRing(): Buffer {
    this.ring = takeRing(this.bytes, this.target.direct);
    this.native.holdWriteBuffer(this.ring, this.state.buffer);
    return this.ring;
  }

  private positionOf(count: number): number {
    return this.state[start] === CURRENT ? CURRENT : this.state[start]! + count;
  }

  private indexOf(count: number): number {
    return (count + this.state[shift]!) % this.bytes;
  }

  private nextBytes(): number {
    const last = this.writes[this.writes.length - 1];
    if (last !== undefined && (!this.target.direct || last.alone)) return 0;
    const count = Math.min(this.taken - this.sent, this.bytes - this.indexOf(this.sent));
    return this.target.direct ? this.nextDirect(count, last === undefined) : Math.min(count, this.writeBytes);
  }

  /** `count` bytes in a row can go; `free`: nothing is in flight. */
  private nextDirect(count: number, free: boolean): number {
    const position = this.positionOf(this.sent);
    const misaligned = position % BLOCK;
    const mustGo = this.wanted > this.sent;
    if (misaligned > 0) {
      const untilBlock = BLOCK - misaligned;
      if (!free || (count < untilBlock && !mustGo)) return 0;
      return Math.min(count, untilBlock);
    }
    if (count < BLOCK) return free && mustGo ? count : 0;
    const whole = count - (count % BLOCK);
    const inside = Math.min(whole, OVERWRITE_BYTES);
    if (position + inside > this.target.size) return free ? Math.min(whole, this.writeBytes) : 0;
    // Beside others only a large one goes: what is there now gathers until they end.
    const isLarge = inside === OVERWRITE_BYTES || inside === this.bytes - this.indexOf(this.sent) || mustGo;
    return free || isLarge ? inside : 0;
  }

  private send(count: number): boolean {
    const from = this.sent;
    const at = this.indexOf(from);
    const position = this.positionOf(from);
    const { fd, direct, size } = this.target;
    const view = this.ring!.subarray(at, at + count);
    const answer = this.native.write(fd, view, 0, count, position, 0);
    if (answer === UNSUPPORTED && from === 0) return false;
    this.state[sent] = from + count;
    const unaligned = position % BLOCK !== 0 || count % BLOCK !== 0;
    const alone = !direct || unaligned || position + count > size;
    const write: Write = { end: from + count, alone, missing: undefined };
    this.writes.push(write);
    this.finish(write, view, position, answer);
    return true;
  }

  /** Sees one write through: all of it, or an error. */
  private async finish(write: Write, view: Buffer, from: number, answer: number): Promise<void> {
    let rest = view;
    let position = from;
    let result = await resultOf(answer, rest);
    for (;;) {
      if (result === UNSUPPORTED) result = await this.writeByNode(rest, position);
      if (result <= 0) break;
      rest = rest.subarray(result);
      if (rest.length === 0) break;
      if (position !== CURRENT) position += result;
      result = await resultOf(this.native.write(this.target.fd, rest, 0, rest.length, position, 0), rest);
    }
    write.missing = rest.length;
    const failsNow = rest.length > 0 && this.failure === undefined;
    if (failsNow) {
      this.failure = systemErrorWithoutFrames(result === 0 ? EIO : result, 'write');
      this.state[sent] = this.taken;
    }
    this.settle();
    if (failsNow) this.onFailure(this.failure!);
  }

  // The number has come to mean another file, or none: node says so.
  private writeByNode(view: Buffer, position: number): Promise<number> {
    return new Promise((resolve) => {
      const at = position === CURRENT ? null : position;
      nodeFs.write(this.target.fd, view, 0, view.length, at, (error, count) => resolve(error?.errno ?? count));
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
