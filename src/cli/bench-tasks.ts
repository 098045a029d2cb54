// What `bench` times, once for plain node and once for the engine: the same code over another module. A task does its
// work over and over; it says how much it has read, and once, untimed, a digest of the content.

import { createHash, type Hash } from 'node:crypto';
import { join } from 'node:path';

export type FileSystem = typeof import('node:fs');

export interface Task {
  name: string;
  /** What one operation is, in the plural. */
  unit: string;
  kind: 'stat' | 'readFile' | 'stream' | 'random' | 'writeFile' | 'writeStream';
  /** Files that are read, or the folder that is written to. */
  paths: string[];
  /** Operations at once. */
  atOnce: number;
  size: number;
  direct?: boolean;
}

export interface Work {
  operations: number;
  bytes: number;
}

const BLOCK = 4096;
const VERIFIED_BLOCKS = 256;

/** xorshift32: both sides read the same blocks in the same order. */
function numbersFrom(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state;
  };
}

/** Runs `one` for each index, so many at once. */
async function each(count: number, atOnce: number, one: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const loop = async (): Promise<void> => {
    while (next < count) await one(next++);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, loop));
}

/** In the order of the indices, whatever order the answers come in. */
function digestOf(parts: readonly (string | Buffer)[]): string {
  const hash: Hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}

async function stats(fs: FileSystem, { paths, atOnce }: Task, parts?: string[]): Promise<Work> {
  await each(paths.length, atOnce, async (index) => {
    const { size, mtimeMs, mode } = await fs.promises.stat(paths[index]!);
    if (parts !== undefined) parts[index] = `${size} ${mtimeMs} ${mode}\n`;
  });
  return { operations: paths.length, bytes: 0 };
}

async function wholeFiles(fs: FileSystem, { paths, atOnce }: Task, parts?: string[]): Promise<Work> {
  let bytes = 0;
  await each(paths.length, atOnce, async (index) => {
    const content = await fs.promises.readFile(paths[index]!);
    bytes += content.length;
    if (parts !== undefined) parts[index] = createHash('sha256').update(content).digest('hex');
  });
  return { operations: paths.length, bytes };
}

async function streamed(fs: FileSystem, { paths }: Task, hash?: Hash): Promise<Work> {
  let bytes = 0;
  for (const path of paths) {
    for await (const chunk of fs.createReadStream(path) as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      hash?.update(chunk);
    }
  }
  return { operations: bytes / 1e6, bytes };
}

/** A block at an address that plain node's O_DIRECT takes: found by trying. */
function memoryFor(fs: FileSystem, fd: number, direct: boolean): Buffer {
  if (!direct) return Buffer.allocUnsafeSlow(BLOCK);
  const memory = Buffer.allocUnsafeSlow(2 * BLOCK);
  for (let at = 0; at < BLOCK; at += 16) {
    const block = memory.subarray(at, at + BLOCK);
    try {
      fs.readSync(fd, block, 0, BLOCK, 0);
      return block;
    } catch {
      // The next address.
    }
  }
  return memory.subarray(0, BLOCK);
}

async function randomBlocks(fs: FileSystem, task: Task, count: number, seed: number, parts?: Buffer[]): Promise<Work> {
  const { O_RDONLY, O_DIRECT } = fs.constants;
  const flags = task.direct ? O_RDONLY | O_DIRECT : O_RDONLY;
  const handle = await fs.promises.open(task.paths[0]!, flags);
  const next = numbersFrom(seed);
  const blocks = Math.floor(task.size / BLOCK);
  const offsets = Array.from({ length: count }, () => (next() % blocks) * BLOCK);
  let taken = 0;
  let bytes = 0;
  const loop = async (): Promise<void> => {
    const memory = memoryFor(fs, handle.fd, task.direct === true);
    while (taken < count) {
      const index = taken++;
      const { bytesRead } = await handle.read(memory, 0, BLOCK, offsets[index]!);
      bytes += bytesRead;
      if (parts !== undefined) parts[index] = Buffer.from(memory.subarray(0, bytesRead));
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(task.atOnce, count) }, loop));
  } finally {
    await handle.close();
  }
  return { operations: count, bytes };
}

/** Bytes in which no block is like its neighbours. */
function pattern(length: number, seed: number): Buffer {
  const next = numbersFrom(seed);
  const bytes = Buffer.allocUnsafe(length);
  for (let at = 0; at + 4 <= length; at += 4) bytes.writeUInt32LE(next(), at);
  return bytes;
}

async function smallFilesWritten(fs: FileSystem, { paths, atOnce, size }: Task, parts?: string[]): Promise<Work> {
  const content = pattern(BLOCK, 7);
  const nameOf = (index: number): string => join(paths[0]!, `small-${index}`);
  await each(size, atOnce, (index) => fs.promises.writeFile(nameOf(index), content));
  if (parts !== undefined) {
    for (let index = 0; index < size; index++) parts[index] = digestOf([fs.readFileSync(nameOf(index))]);
  }
  return { operations: size, bytes: size * BLOCK };
}

async function streamWritten(fs: FileSystem, { paths, size }: Task, hash?: Hash): Promise<Work> {
  const chunk = pattern(65_536, 9);
  const file = join(paths[0]!, 'large');
  const stream = fs.createWriteStream(file);
  await new Promise<void>((resolve, reject) => {
    stream.on('error', reject).on('finish', resolve);
    let left = Math.ceil(size / chunk.length);
    const more = (): void => {
      while (left > 0) {
        left--;
        if (!stream.write(chunk)) {
          stream.once('drain', more);
          return;
        }
      }
      stream.end();
    };
    more();
  });
  hash?.update(fs.readFileSync(file));
  const bytes = Math.ceil(size / chunk.length) * chunk.length;
  return { operations: bytes / 1e6, bytes };
}

/** One pass of a task, of `count` operations where it is one that has no natural end. */
export async function pass(fs: FileSystem, task: Task, count: number, seed: number): Promise<Work> {
  switch (task.kind) {
    case 'stat':
      return stats(fs, task);
    case 'readFile':
      return wholeFiles(fs, task);
    case 'stream':
      return streamed(fs, task);
    case 'random':
      return randomBlocks(fs, task, count, seed);
    case 'writeFile':
      return smallFilesWritten(fs, task);
    default:
      return streamWritten(fs, task);
  }
}

/** One pass whose content is looked at: both sides have to come to the same digest. */
export async function verifiedPass(fs: FileSystem, task: Task): Promise<string> {
  const parts: string[] = [];
  const blocks: Buffer[] = [];
  const hash = createHash('sha256');
  switch (task.kind) {
    case 'stat':
      await stats(fs, task, parts);
      return digestOf(parts);
    case 'readFile':
      await wholeFiles(fs, task, parts);
      return digestOf(parts);
    case 'stream':
      await streamed(fs, task, hash);
      return hash.digest('hex');
    case 'random':
      await randomBlocks(fs, task, VERIFIED_BLOCKS, 3, blocks);
      return digestOf(blocks);
    case 'writeFile':
      await smallFilesWritten(fs, task, parts);
      return digestOf(parts);
    default:
      await streamWritten(fs, task, hash);
      return hash.digest('hex');
  }
}
