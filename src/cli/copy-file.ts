// One file, read and written in pieces that overlap. What is copied goes to a file beside the target that takes its
// place at the end, so that the target is the old file or the whole new one, whatever happens on the way.

import { createHash, type Hash } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

type Promises = typeof import('node:fs/promises');
type Opener = (path: string, options: { flags: number; mode?: number; direct: boolean }) => Promise<FileHandle>;

const loadPromises = () => (require('../fs') as typeof import('node:fs')).promises as Promises;
const loadEngine = () => require('../index') as typeof import('../index');

const PIECE = 1024 * 1024;
/** Pieces in flight: a device's queue is kept full by far fewer. */
const PIECES_MAX = 8;

export interface CopyOptions {
  direct: boolean;
  verify: boolean;
  resume: boolean;
  signal: AbortSignal;
  /** Called with the bytes of each piece that is copied, or found to be there, and of each that is read back. */
  onBytes(bytes: number): void;
}

export interface Copied {
  bytes: number;
  /** Bytes that were there from an earlier run and were the same. */
  kept: number;
  /** Of the target, read back; where --verify was given. */
  sha256?: string;
  /** The read-back came past the page cache. */
  verifiedPastCache?: boolean;
  /** The filesystem shares the blocks: nothing was moved. */
  cloned?: boolean;
  /** The target was there already, the same byte by byte. */
  unchanged?: boolean;
}

/** Stopped by a signal; what is there can be resumed. */
export class Interrupted extends Error {}

export const partialOf = (target: string): string => join(dirname(target), `.${basename(target)}.ioengine-partial`);

const { O_RDONLY, O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;

const open = (path: string, flags: number, direct: boolean, mode?: number): Promise<FileHandle> =>
  (loadPromises().open as unknown as Opener)(path, { flags, mode, direct });

/** The file beside the target. A link that somebody else has put in its place is not followed. */
const openPartial = (path: string, isNew: boolean, direct: boolean): Promise<FileHandle> =>
  open(path, O_RDWR | O_NOFOLLOW | (isNew ? O_CREAT | O_EXCL : 0), direct, 0o600);

async function readAll(handle: FileHandle, piece: Buffer, position: number, length: number): Promise<number> {
  let done = 0;
  while (done < length) {
    const { bytesRead } = await handle.read(piece, done, length - done, position + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return done;
}

async function writeAll(handle: FileHandle, piece: Buffer, length: number, position: number): Promise<void> {
  let done = 0;
  while (done < length) {
    const { bytesWritten } = await handle.write(piece, done, length - done, position + done);
    if (bytesWritten === 0) throw new Error('the filesystem takes no more bytes and gives no reason');
    done += bytesWritten;
  }
}

/** Memory for a piece of a file of that size. */
const alignedPiece = (size: number): Buffer =>
  loadEngine().alignedBuffer(Math.min(PIECE, Math.ceil(size / 4096) * 4096));

/**
 * Reads ahead, and hands out the pieces in order. What `use` promises for one is awaited before its memory is used for
 * another.
 */
async function inPieces(
  size: number,
  isStopped: () => boolean,
  read: (piece: Buffer, position: number, length: number) => Promise<number>,
  use: (piece: Buffer, position: number, length: number) => Promise<void>,
): Promise<void> {
  const count = Math.ceil(size / PIECE);
  const memory = Array.from({ length: Math.min(PIECES_MAX, count) }, () => alignedPiece(size));
  const reads: Promise<number>[] = [];
  const uses: Promise<void>[] = [];
  const lengthOf = (index: number): number => Math.min(PIECE, size - index * PIECE);
  const start = (index: number): void => {
    if (index >= count) return;
    const previous = uses[index - memory.length] ?? Promise.resolve();
    const reading = previous.then(() => read(memory[index % memory.length]!, index * PIECE, lengthOf(index)));
    reading.catch(() => {}); // Heard below, in its turn.
    reads[index] = reading;
  };
  try {
    for (let index = 0; index < memory.length; index++) start(index);
    for (let index = 0; index < count; index++) {
      if (isStopped()) throw new Interrupted('interrupted');
      const length = await reads[index]!;
      if (length < lengthOf(index))
        throw new Error(`the file has become shorter while it was read: ${index * PIECE + length} bytes`);
      const using = use(memory[index % memory.length]!, index * PIECE, length);
      using.catch(() => {});
      uses[index] = using;
      delete reads[index];
      delete uses[index - memory.length];
      start(index + memory.length);
    }
  } finally {
    // The kernel may still be at work on this memory and these descriptors.
    await Promise.allSettled([...reads, ...uses]);
  }
  await Promise.all(uses);
}

const isZero = (piece: Buffer, length: number): boolean =>
  piece[0] === 0 && piece.subarray(0, length - 1).equals(piece.subarray(1, length));

interface Job {
  source: string;
  target: string;
  stats: Stats;
  options: CopyOptions;
}

/** Moves the content into `partial`, `present` bytes of which may be right: how many were, and its inode. */
async function move(
  job: Job,
  partial: string,
  present: number,
  hash: Hash | undefined,
): Promise<{ kept: number; inode: number }> {
  const { source, stats, options } = job;
  const { size } = stats;
  const isSparse = stats.blocks * 512 < size;
  const direct = options.direct;
  const from = await open(source, O_RDONLY, direct);
  const old = Array.from({ length: PIECES_MAX }, () => (present > 0 ? alignedPiece(size) : undefined));
  let to: FileHandle | undefined;
  let kept = 0;
  let inode = 0;
  try {
    to = await openPartial(partial, present === 0, direct);
    const target = to;
    inode = (await target.stat()).ino;
    await inPieces(
      size,
      () => options.signal.aborted,
      (piece, position, length) => readAll(from, piece, position, length),
      async (piece, position, length) => {
        // Before the first wait: pieces come in order, and are hashed in it.
        hash?.update(piece.subarray(0, length));
        const before = old[(position / PIECE) % PIECES_MAX];
        if (before !== undefined && position < present) {
          const there = await readAll(target, before, position, Math.min(length, present - position));
          if (there === length && before.subarray(0, length).equals(piece.subarray(0, length))) {
            kept += length;
            options.onBytes(length);
            return;
          }
        } else if (isSparse && isZero(piece, length)) {
          options.onBytes(length);
          return;
        }
        await writeAll(target, piece, length, position);
        options.onBytes(length);
      },
    );
    await target.truncate(size);
    if (options.verify || options.direct) await target.sync();
  } finally {
    await from.close();
    await to?.close();
  }
  return { kept, inode };
}

/** What is on the disk, past the page cache where the filesystem allows that. */
async function digestOf(file: string, size: number, options: CopyOptions): Promise<{ sha256: string; past: boolean }> {
  let handle: FileHandle;
  let past = true;
  try {
    handle = await open(file, O_RDONLY, true);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_IOENGINE_DIRECT_UNSUPPORTED') throw error;
    past = false;
    handle = await open(file, O_RDONLY, false);
  }
  const hash = createHash('sha256');
  try {
    await inPieces(
      size,
      () => options.signal.aborted,
      (piece, position, length) => readAll(handle, piece, position, length),
      async (piece, _position, length) => {
        hash.update(piece.subarray(0, length));
        options.onBytes(length);
      },
    );
  } finally {
    await handle.close();
  }
  return { sha256: hash.digest('hex'), past };
}

/** A clone on filesystems that share blocks (btrfs, XFS); false where that is not to be had. */
async function clone({ source, stats, options }: Job, partial: string): Promise<boolean> {
  try {
    await loadPromises().copyFile(source, partial, constants.COPYFILE_FICLONE_FORCE);
  } catch {
    return false; // Whatever it was, the copy itself meets it too.
  }
  options.onBytes(stats.size);
  return true;
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    const stats = await loadPromises().lstat(path);
    return stats.isFile() ? stats.size : undefined;
  } catch {
    return undefined;
  }
}

/** True where the target has all bytes of the source already. */
async function isSame({ source, target, stats, options }: Job): Promise<boolean> {
  if ((await sizeOf(target)) !== stats.size) return false;
  const files = [await open(source, O_RDONLY, false), await open(target, O_RDONLY, false)] as const;
  const other = Array.from({ length: PIECES_MAX }, () => alignedPiece(stats.size));
  let same = true;
  try {
    await inPieces(
      stats.size,
      () => options.signal.aborted || !same,
      (piece, position, length) => readAll(files[0], piece, position, length),
      async (piece, position, length) => {
        const there = other[(position / PIECE) % PIECES_MAX]!;
        await readAll(files[1], there, position, length);
        if (piece.subarray(0, length).equals(there.subarray(0, length))) return;
        same = false;
      },
    );
  } catch (error) {
    if (!(error instanceof Interrupted) || options.signal.aborted) throw error;
  } finally {
    for (const file of files) await file.close();
  }
  if (same) options.onBytes(stats.size);
  return same;
}

/** Copies a regular file. Throws Interrupted where the signal came: `partialOf(target)` has what was done. */
export async function copyFile(source: string, target: string, options: CopyOptions): Promise<Copied> {
  const fs = loadPromises();
  const stats = await fs.stat(source);
  const job: Job = { source, target, stats, options };
  const partial = partialOf(target);
  const present = options.resume ? ((await sizeOf(partial)) ?? 0) : 0;
  // Not setuid and setgid: the copy has another owner, as with cp(1).
  const mode = stats.mode & 0o777;
  if (options.resume && present === 0 && (await isSame(job))) {
    await fs.chmod(target, mode);
    return { bytes: 0, kept: stats.size, unchanged: true };
  }
  if (present === 0) await fs.rm(partial, { force: true });
  const hash = options.verify ? createHash('sha256') : undefined;
  const cloned = !options.direct && !options.verify && present === 0 && (await clone(job, partial));
  const { kept, inode } = cloned ? { kept: 0, inode: undefined } : await move(job, partial, present, hash);
  const after = await fs.stat(source);
  if (after.size !== stats.size || after.mtimeMs !== stats.mtimeMs) {
    throw new Error(`${source} was changed while it was copied: ${partial} has what was read, ${target} is as it was`);
  }
  const copied: Copied = { bytes: stats.size - kept, kept };
  if (cloned) copied.cloned = true;
  if (hash !== undefined) {
    const wanted = hash.digest('hex');
    const { sha256, past } = await digestOf(partial, stats.size, options);
    if (sha256 !== wanted) {
      throw new Error(`${partial} does not hold what was written: sha256 ${sha256}, the source has ${wanted}`);
    }
    Object.assign(copied, { sha256, verifiedPastCache: past });
  }
  if (inode !== undefined && (await fs.lstat(partial)).ino !== inode) {
    throw new Error(`${partial} is not the file that was written: another copy to ${target} is at work`);
  }
  await fs.chmod(partial, mode);
  await fs.rename(partial, target);
  return copied;
}
