// The data path of a read stream: chunks of one file, in order, each exactly as large as node's read would have made
// it, with reads in flight ahead of the consumer.
//
// Memory is bounded: in flight and not yet taken is at most 1 MiB (4 MiB with O_DIRECT), or 2 chunks (4) where the
// highWaterMark is larger than half (a quarter) of that.

import { resultOf } from '../engine/requests';
import { NOT_TAKEN } from '../engine/runtime';
import type { Addon } from '../native/addon';
import { makeChunk, shrunk } from './chunks';

/** One engine read moves up to this much, cut into chunks: fewer requests, and the copying leaves the JS thread. */
const READ_BYTES = 256 * 1024;
const WINDOW_BYTES = 1024 * 1024;
const DIRECT_WINDOW_BYTES = 4 * 1024 * 1024;
/** Reads in flight; small chunks make small reads, and more of them would not fill the window either. */
const READS_MIN = 2;
const READS_MAX = WINDOW_BYTES / READ_BYTES;
const DIRECT_READS_MIN = 4;
const DIRECT_READS_MAX = DIRECT_WINDOW_BYTES / READ_BYTES;
const CHUNKS_PER_READ_MAX = 64;

/** The file position. */
const CURRENT = -1;

/** `count` bytes in `chunk`; 0 is the end of the file, below 0 a negative errno or NOT_TAKEN. */
export type Take = (count: number, chunk: Buffer) => void;

/** One read of the engine: adjacent chunks from `position` on. */
interface Read {
  position: number;
  chunks: Buffer[];
  bytes: number;
  /** Chunks handed out. */
  taken: number;
  /** Bytes before the chunk that comes next. */
  offset: number;
  /** Undefined while it is in flight. */
  result: number | undefined;
  done: Promise<void> | undefined;
}

const NOTHING = Buffer.alloc(0);

function between(least: number, value: number, most: number): number {
  return Math.min(most, Math.max(least, Math.floor(value)));
}

export class ReadAhead {
  private reads: Read[] = [];
  /** Where the next read of the window starts. */
  private end = 0;
  private chunkBytes = 0;
  /** Full chunks delivered in a row: how far reading ahead has been earned. */
  private streak = 0;
  /** A failed read of several chunks is repeated chunk by chunk, to fail where node's would. */
  private careful = false;
  private inFlight = 0;
  private onIdle: (() => void) | undefined;
  /** A chunk whose read found nothing or little: used again. */
  private spare: Buffer | undefined;
  /** The errno that the last awaited read ended with, 0 if none. */
  failure = 0;

  constructor(
    private readonly native: Addon,
    private readonly fd: number,
    private readonly direct: boolean,
  ) {}

  /**
   * The next chunk: `size` bytes at `position` (CURRENT: the file position, which moves, so nothing is read ahead).
   * `remaining` bounds the reading ahead. `take` is called in a later tick, with the caller's async context.
   */
  next(position: number, size: number, remaining: number, take: Take): void {
    if (position === CURRENT) this.reads.length = 0;
    else if (this.reads.length > 0 && !this.continuesAt(position, size)) this.restart();
    if (this.reads.length === 0) this.begin(position, size, remaining);
    const head = this.reads[0]!;
    if (position !== CURRENT) this.fill(position + remaining);
    if (head.result !== undefined) {
      process.nextTick(() => this.hand(head, position, size, remaining, take));
    } else {
      // The promise keeps the caller's async context; the tick makes what a consumer throws an uncaught exception.
      head.done!.then(() => process.nextTick(() => this.hand(head, position, size, remaining, take)));
    }
  }

  get busy(): boolean {
    return this.inFlight > 0;
  }

  /** Calls back once the kernel is done with every chunk; nothing is read any more. */
  whenIdle(callback: () => void): void {
    this.restart();
    if (this.inFlight === 0) callback();
    else this.onIdle = callback;
  }

  private continuesAt(position: number, size: number): boolean {
    const head = this.reads[0]!;
    return head.position + head.offset === position && head.chunks[head.taken]!.length === size;
  }

  // What has been read ahead is worth nothing any more. Its memory stays referenced until the kernel is done with it:
  // resultOf holds the chunks of reads in flight.
  private restart(): void {
    this.reads = [];
    this.streak = 0;
  }

  private begin(position: number, size: number, remaining: number): void {
    this.chunkBytes = size;
    this.end = position;
    // A direct read is never answered at once, so the first one has company already.
    const chunks = position === CURRENT || this.careful || !this.direct ? 1 : this.chunksPerRead();
    this.issue(position, chunks, position === CURRENT ? size : remaining);
  }

  private chunksPerRead(): number {
    if (this.careful) return 1;
    return Math.min(CHUNKS_PER_READ_MAX, Math.max(1, Math.floor(READ_BYTES / this.chunkBytes)));
  }

  private fill(limit: number): void {
    if (this.careful || (this.streak === 0 && !this.direct)) return;
    const perRead = this.chunksPerRead();
    const whole = perRead * this.chunkBytes;
    const most = this.direct
      ? between(DIRECT_READS_MIN, DIRECT_WINDOW_BYTES / whole, DIRECT_READS_MAX)
      : between(READS_MIN, WINDOW_BYTES / whole, READS_MAX);
    // It grows with what has been consumed, so that short files do not pay for long ones.
    const reads = this.direct ? most : Math.min(most, 1 + this.streak);
    while (this.reads.length < reads && this.end < limit) {
      this.issue(this.end, this.direct ? perRead : Math.min(perRead, this.streak), limit - this.end);
    }
  }

  private issue(position: number, count: number, remaining: number): void {
    const chunks: Buffer[] = [];
    let bytes = 0;
    while (chunks.length < count && bytes < remaining) {
      const size = Math.min(this.chunkBytes, remaining - bytes);
      chunks.push(this.chunk(size));
      bytes += size;
    }
    const answer =
      chunks.length === 1
        ? this.native.read(this.fd, chunks[0]!, 0, bytes, position, 0)
        : this.native.readv(this.fd, chunks, position, 0);
    const read: Read = { position, chunks, bytes, taken: 0, offset: 0, result: undefined, done: undefined };
    if (answer >= NOT_TAKEN) {
      read.result = answer;
    } else {
      this.inFlight++;
      read.done = resultOf(answer, chunks).then((result) => this.settled(read, result));
    }
    this.reads.push(read);
    this.end = position + bytes;
  }

  private chunk(size: number): Buffer {
    const { spare } = this;
    if (spare === undefined || spare.length !== size) return makeChunk(size, this.direct);
    this.spare = undefined;
    return spare;
  }

  private settled(read: Read, result: number): void {
    read.result = result;
    this.inFlight--;
    if (this.inFlight > 0 || this.onIdle === undefined) return;
    const { onIdle } = this;
    this.onIdle = undefined;
    onIdle();
  }

  private hand(head: Read, position: number, size: number, remaining: number, take: Take): void {
    const result = head.result!;
    if (result < 0) {
      this.restart();
      if (result !== NOT_TAKEN && head.chunks.length > 1 && !this.careful) {
        this.careful = true;
        this.next(position, size, remaining, take);
        return;
      }
      this.failure = result;
      take(result, NOTHING);
      return;
    }
    const chunk = head.chunks[head.taken]!;
    const count = Math.min(chunk.length, result - head.offset);
    if (count < chunk.length) {
      // The file ended here when this was read. It may have grown since, so what was read behind this is void.
      this.restart();
      const part = count > 0 ? shrunk(chunk, count) : NOTHING;
      this.spare = chunk;
      take(count, part);
      return;
    }
    head.chunks[head.taken++] = NOTHING;
    head.offset += count;
    this.streak++;
    // A read that came out short has nothing more, and what follows it is void: unless it filled its chunks.
    if (head.taken === head.chunks.length) this.reads.shift();
    else if (result === head.offset) this.restart();
    take(count, chunk);
  }
}
