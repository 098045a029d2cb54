// The data path of a read stream: chunks of one file, in order, each exactly as large as node's read would have made
// it, with reads in flight ahead of the consumer.
//
// Node reads a chunk when the consumer wants it. What was read before that is handed out only while the file is
// what it was then (file-stamp.ts), and neither the end of the file nor an error is ever taken from such a read.
//
// Chunks of 32 to 128 KiB, and so those of the default size, are read when they are wanted.
//
// Memory is bounded: in flight and not yet taken is at most 1 MiB (4 MiB with O_DIRECT), or 2 chunks (4) where the
// highWaterMark is larger than half (a quarter) of that.

import { callBackWith, resultOf } from '../engine/requests';
import { type Addon, FLAG_CALLBACK, UNSUPPORTED } from '../native/addon';
import { FileStamp } from './file-stamp';
import { makeChunk, shrunk } from './stream-memory';

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
/**
 * Chunks of such sizes are not read ahead of, but with O_DIRECT. A cached one is copied here and now when it is wanted
 * (limits::inline_read_bytes), which costs less than to have it copied elsewhere and to look whether it is fresh; what
 * is not cached the kernel reads ahead itself. Smaller ones gain by sharing a read.
 */
const AT_ONCE_MIN = 32 * 1024;
const AT_ONCE_MAX = 128 * 1024;

/** The file position. */
const CURRENT = -1;

/** `count` bytes from `position` on in `chunk`; 0 is the end of the file, below 0 a negative errno or UNSUPPORTED. */
export type Take = (count: number, chunk: Buffer, position: number) => void;

/** A chunk that the consumer wants. */
interface Wish {
  position: number;
  size: number;
  /** Bytes up to the end of what the stream is to read. */
  remaining: number;
  take: Take;
}

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
  /** Taken before the read was issued; undefined where only its first chunk may be handed out, and at once. */
  stamp: FileStamp | undefined;
  /** The wish that it was issued for, or ahead of. */
  wish: Wish | undefined;
}

const NOTHING = Buffer.alloc(0);

function between(least: number, value: number, most: number): number {
  return Math.min(most, Math.max(least, Math.floor(value)));
}

/** The chunk that comes next was read for this wish, not ahead of it. */
const isFresh = (head: Read, wish: Wish): boolean => head.wish === wish && head.taken === 0;

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

  /**
   * `keepsPosition`: the position of the descriptor itself moves with the chunks, and is heeded when others move it.
   * `promises`: chunks come as the continuation of a promise.
   */
  constructor(
    private readonly native: Addon,
    private readonly fd: number,
    private readonly direct: boolean,
    private readonly keepsPosition: boolean,
    private readonly promises: boolean,
  ) {}

  /**
   * The next chunk: `size` bytes at `position` (CURRENT: the file position, which moves, so nothing is read ahead).
   * `remaining` bounds the reading ahead. `take` is called in a later tick, with the caller's async context.
   */
  next(position: number, size: number, remaining: number, take: Take): void {
    this.serve({ position, size, remaining, take });
  }

  private serve(wish: Wish): void {
    const { position, size, remaining } = wish;
    if (this.reads.length > 0 && !this.continuesAt(position, size)) this.restart();
    const ready = this.reads[0];
    if (ready?.result !== undefined && !this.claim(ready, wish)) this.restart();
    if (this.reads.length === 0) this.begin(wish);
    const head = this.reads[0]!;
    if (position !== CURRENT) this.fill(position + remaining);
    if (head.result !== undefined) this.later(() => this.hand(head, wish));
    // The promise keeps the caller's async context.
    else head.done!.then(() => this.later(() => this.handLate(head, wish)));
  }

  /** A read that was in flight when the wish came. */
  private handLate(head: Read, wish: Wish): void {
    if (isFresh(head, wish) || this.claim(head, wish)) this.hand(head, wish);
    else this.readAfresh(wish);
  }

  /**
   * Runs `hand` as the completion of a read: from the event loop, behind every tick and microtask there is by then; as
   * a callback, or for a FileHandle as the continuation of a promise. So what a consumer throws is an uncaught
   * exception, or an unhandled rejection, as in node.
   */
  private later(hand: () => void): void {
    this.inFlight++;
    const finish = (): void => {
      this.ended();
      hand();
    };
    if (this.promises) void resultOf(this.native.later(0, 0)).then(finish);
    else callBackWith(this.native.later(FLAG_CALLBACK, 0), undefined, finish);
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
    return head.position + head.offset === position && head.chunks[head.taken]?.length === size;
  }

  // What has been read ahead is worth nothing any more. Its memory stays referenced until the kernel is done with it:
  // resultOf holds the chunks of reads in flight.
  private restart(): void {
    this.reads = [];
    this.streak = 0;
  }

  // The descriptor's own position is moved by the read itself, as node's read moves it.
  private begin(wish: Wish): void {
    const { position, size, remaining } = wish;
    this.chunkBytes = size;
    this.end = position;
    if (position === CURRENT || this.keepsPosition) {
      this.issue(CURRENT, 1, size, undefined, wish);
      this.end = position + size;
      return;
    }
    // A direct read is never answered at once, so the first one has company already.
    const most = this.careful || !this.direct ? 1 : this.chunksPerRead();
    const stamp = most > 1 ? FileStamp.of(this.native, this.fd) : undefined;
    this.issue(position, stamp === undefined ? 1 : most, remaining, stamp, wish);
  }

  private chunksPerRead(): number {
    if (this.careful) return 1;
    return Math.min(CHUNKS_PER_READ_MAX, Math.max(1, Math.floor(READ_BYTES / this.chunkBytes)));
  }

  private readsAhead(): boolean {
    if (this.careful || this.direct) return !this.careful;
    const isAtOnce = this.chunkBytes >= AT_ONCE_MIN && this.chunkBytes <= AT_ONCE_MAX;
    return this.streak > 0 && !isAtOnce;
  }

  private fill(limit: number): void {
    if (!this.readsAhead()) return;
    const perRead = this.chunksPerRead();
    const readBytes = perRead * this.chunkBytes;
    const most = this.direct
      ? between(DIRECT_READS_MIN, DIRECT_WINDOW_BYTES / readBytes, DIRECT_READS_MAX)
      : between(READS_MIN, WINDOW_BYTES / readBytes, READS_MAX);
    // It grows with what has been consumed, so that short files do not pay for long ones.
    const reads = this.direct ? most : Math.min(most, 1 + this.streak);
    if (this.reads.length >= reads || this.end >= limit) return;
    const stamp = FileStamp.of(this.native, this.fd);
    if (stamp === undefined) return;
    while (this.reads.length < reads && this.end < limit) {
      const count = this.direct ? perRead : Math.min(perRead, this.streak);
      this.issue(this.end, count, limit - this.end, stamp, undefined);
    }
  }

  private issue(
    position: number,
    count: number,
    remaining: number,
    stamp: FileStamp | undefined,
    wish: Wish | undefined,
  ): void {
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
    const read: Read = {
      position,
      chunks,
      bytes,
      taken: 0,
      offset: 0,
      result: undefined,
      done: undefined,
      stamp,
      wish,
    };
    if (answer >= UNSUPPORTED) {
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
    this.ended();
  }

  /** A read, or the handing out of what it has brought, is over. */
  private ended(): void {
    this.inFlight--;
    if (this.inFlight > 0 || this.onIdle === undefined) return;
    const { onIdle } = this;
    this.onIdle = undefined;
    onIdle();
  }

  /**
   * Whether the chunk that comes next, read ahead of the wish, is what a read would bring now: then the position of the
   * descriptor moves behind it. Neither an end of the file nor an error is taken from such a read.
   */
  private claim(head: Read, wish: Wish): boolean {
    const { position } = wish;
    const size = head.chunks[head.taken]!.length;
    if (head.result! < head.offset + size || !head.stamp!.stillHolds(this.native, this.fd)) return false;
    return !this.keepsPosition || this.native.claimFilePosition(this.fd, position, position + size) !== 0;
  }

  /** Serves the wish with a read of its own. */
  private readAfresh(wish: Wish): void {
    this.restart();
    this.serve({ ...wish });
  }

  private hand(head: Read, wish: Wish): void {
    const { take } = wish;
    const result = head.result!;
    if (result < 0) {
      this.handFailure(head, wish, result);
      return;
    }
    const chunk = head.chunks[head.taken]!;
    const count = Math.min(chunk.length, result - head.offset);
    const position = this.keepsPosition && isFresh(head, wish) ? this.startOf(count) : wish.position;
    if (count < chunk.length) {
      // The file ends here.
      this.restart();
      const part = count > 0 ? shrunk(chunk, count) : NOTHING;
      this.spare = chunk;
      take(count, part, position);
      return;
    }
    head.chunks[head.taken++] = NOTHING;
    head.offset += count;
    this.streak++;
    // A read that came out short has nothing more, and what follows it is void: unless it filled its chunks.
    if (head.taken === head.chunks.length) this.reads.shift();
    else if (result === head.offset) this.restart();
    take(count, chunk, position);
  }

  /** Where a read of `count` bytes at the file position began. */
  private startOf(count: number): number {
    return this.native.filePosition(this.fd) - count;
  }

  // A failed read of several chunks is repeated chunk by chunk.
  private handFailure(head: Read, wish: Wish, result: number): void {
    if (result !== UNSUPPORTED && head.chunks.length > 1 && !this.careful) {
      this.careful = true;
      this.readAfresh(wish);
      return;
    }
    this.restart();
    this.failure = result;
    wish.take(result, NOTHING, wish.position);
  }
}
