// readFile: of a path, a descriptor or a FileHandle. Functions answer undefined for what node:fs has to judge.

import type { FileHandle } from 'node:fs/promises';
import { engine, FLAG_TRUSTED, NOT_TAKEN } from '../engine/runtime';
import { CURRENT, isDescriptor } from '../internal/arguments';
import { hostFs, hostPromises } from '../internal/host';
import { byNode, closingAfter, type Held, orByNode, viaCallback } from './by-node';
import { readStep, sizeStep } from './descriptor-io';
import { openDescriptor, type PlainOpen, plainOpen } from './open';
import { plainOptions, throwIfAborted, unlessAborted, type WholeOptions } from './whole-options';

type Content = Buffer | string;

const READ_BYTES_MAX = 2 ** 31 - 1; // node refuses larger files: ERR_FS_FILE_TOO_LARGE
const SIGNAL_CHUNK_BYTES = 512 * 1024; // what node reads between two looks at the signal
const UNKNOWN_SIZE_CHUNK_BYTES = 64 * 1024;

/** Where and how one file is read. */
interface Source {
  fd: number;
  /** -1: from the file position. */
  start: number;
  requestFlags: number;
  signal: AbortSignal | undefined;
}

function readAt(source: Source, buffer: Buffer, offset: number, length: number, done: number): Promise<number> {
  throwIfAborted(source.signal);
  const position = source.start < 0 ? CURRENT : source.start + done;
  return readStep(source.fd, buffer, offset, length, position, source.requestFlags);
}

async function readSized(source: Source, size: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(size);
  let done = 0;
  while (done < size) {
    const length = source.signal === undefined ? size - done : Math.min(size - done, SIGNAL_CHUNK_BYTES);
    const bytes = await readAt(source, buffer, done, length, done);
    if (bytes === 0) return buffer.subarray(0, done);
    done += bytes;
  }
  return buffer;
}

// A regular file that says size 0 may have content all the same: it is read until nothing comes.
async function readUnsized(source: Source): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let done = 0;
  for (;;) {
    const chunk = Buffer.allocUnsafeSlow(UNKNOWN_SIZE_CHUNK_BYTES);
    const bytes = await readAt(source, chunk, 0, UNKNOWN_SIZE_CHUNK_BYTES, done);
    if (bytes === 0) break;
    done += bytes;
    chunks.push(chunk.subarray(0, bytes));
  }
  return Buffer.concat(chunks, done);
}

async function readOpen(source: Source, encoding: BufferEncoding | undefined): Promise<Content> {
  const size = await sizeStep(source.fd, READ_BYTES_MAX, source.requestFlags);
  const content = size === 0 ? await readUnsized(source) : await readSized(source, size);
  return encoding === undefined ? content : content.toString(encoding);
}

/** FileHandle.readFile: from the file position to the end. */
export function readHandle(handle: FileHandle, held: Held, options: unknown): Promise<Content> | undefined {
  const plain = plainOptions(options, 'r');
  if (plain === undefined) return undefined;
  const { signal, encoding } = plain;
  const source = { fd: handle.fd, start: CURRENT, requestFlags: FLAG_TRUSTED, signal };
  return unlessAborted(signal, () =>
    held(handle, () =>
      orByNode(
        () => readOpen(source, encoding),
        () => byNode(hostPromises.readFile(handle, options as never)),
      ),
    ),
  );
}

/** readFile of a descriptor, in the callback form. */
export function readDescriptor(fd: unknown, options: unknown): Promise<Content> | undefined {
  const plain = plainOptions(options, 'r');
  if (plain === undefined || !isDescriptor(fd) || engine() === undefined) return undefined;
  const { signal, encoding } = plain;
  return unlessAborted(signal, () =>
    orByNode(
      () => readOpen({ fd, start: CURRENT, requestFlags: 0, signal }, encoding),
      () => byNode(viaCallback<Content>((done) => hostFs.readFile(fd, options as never, done as never))),
    ),
  );
}

/** readFile of a path. */
export function readPath(path: unknown, options: unknown): Promise<Content> | undefined {
  const plain = plainOptions(options, 'r');
  const asked = plain === undefined ? undefined : plainOpen(path, plain.flag, undefined, undefined);
  if (plain === undefined || asked === undefined) return undefined;
  return unlessAborted(plain.signal, () => openAndRead(asked, plain, options));
}

async function openAndRead(asked: PlainOpen, plain: WholeOptions, options: unknown): Promise<Content> {
  const fd = await openDescriptor(asked);
  if (fd === NOT_TAKEN) return byNode(hostPromises.readFile(asked.path as string, options as never));
  const { signal, encoding } = plain;
  return closingAfter(
    fd,
    () => readOpen({ fd, start: 0, requestFlags: FLAG_TRUSTED, signal }, encoding),
    (handle) => byNode(hostPromises.readFile(handle, options as never)),
  );
}
