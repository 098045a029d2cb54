// Which lane serves each operation in a folder: seen, not predicted. Each one is done once, alone, and the engine's
// counters say who served it. What is written goes to a file without a name (O_TMPFILE, see open(2)), which is gone
// when it is closed and changes nothing that anybody else can see.

import nodeFs = require('node:fs');

import { join } from 'node:path';
import type { Place } from './filesystem-of';

// A libc's number, which node has no name for: __O_TMPFILE | O_DIRECTORY.
const O_TMPFILE = 0o20000000 | nodeFs.constants.O_DIRECTORY;
const BLOCK = 65_536;

const loadFs = () => require('../fs') as typeof import('node:fs');
const loadEngine = () => require('../index') as typeof import('../index');

export interface Seen {
  operation: string;
  /** inline, uring, aio, threads, delegated, several of them, or why it was not tried. */
  lane: string;
}

export interface Direct {
  supported: boolean;
  /** Bytes that offsets and lengths, and addresses, must be multiples of for node:fs. The engine takes any. */
  offsetAlignment?: number;
  memoryAlignment?: number;
  reason?: string;
}

interface Files {
  /** Buffered, direct, and buffered again with nothing of what `direct` wrote in the page cache. */
  buffered?: number;
  direct?: number;
  cold?: number;
  whyNot?: string;
  whyNotDirect?: string;
}

type Callback = (error: Error | null) => void;
const called = (start: (callback: Callback) => void): Promise<void> =>
  new Promise((resolve, reject) => {
    start((error) => (error ? reject(error) : resolve()));
  });

/** Runs one operation, alone, and says which lanes counted it. */
async function laneOf(run: () => Promise<unknown>): Promise<string> {
  const { stats } = loadEngine();
  const before = stats().lanes;
  try {
    await run();
  } catch (error) {
    return `failed: ${(error as NodeJS.ErrnoException).code ?? (error as Error).message}`;
  }
  const after = stats().lanes;
  const names = Object.keys(after) as (keyof typeof after)[];
  const used = names.filter((name) => after[name].operations > before[name].operations);
  return used.length === 0 ? 'node:fs' : used.join(' + ');
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? String(error);

/** A descriptor's file opened once more, with other flags. */
const reopen = (fd: number, flags: number): number => nodeFs.openSync(`/proc/self/fd/${fd}`, flags);

/** The files to try with; a named one, removed at once, only where the caller allows it. */
function openFiles(folder: string, mayCreate: boolean): Files {
  const { O_RDWR, O_RDONLY, O_DIRECT, O_CREAT, O_EXCL } = nodeFs.constants;
  const files: Files = {};
  try {
    files.buffered = nodeFs.openSync(folder, O_TMPFILE | O_RDWR, 0o600);
  } catch (error) {
    if (!mayCreate) {
      const hint = codeOf(error) === 'EACCES' || codeOf(error) === 'EROFS' ? '' : '; --write tries with a named file';
      return { whyNot: `no file without a name can be made here: ${codeOf(error)}${hint}` };
    }
    const name = join(folder, `.ioengine-doctor-${process.pid}`);
    files.buffered = nodeFs.openSync(name, O_CREAT | O_EXCL | O_RDWR, 0o600);
    try {
      files.cold = nodeFs.openSync(name, O_RDONLY);
      files.direct = nodeFs.openSync(name, O_RDWR | O_DIRECT);
    } catch (error) {
      files.whyNotDirect = codeOf(error);
    }
    nodeFs.unlinkSync(name);
    return files;
  }
  try {
    files.cold = reopen(files.buffered, O_RDONLY);
    files.direct = reopen(files.buffered, O_RDWR | O_DIRECT);
  } catch (error) {
    files.whyNotDirect = codeOf(error);
  }
  return files;
}

const SIZES = [1, 512, 1024, 2048, 4096, 8192, 16_384, 32_768];
const ADDRESSES = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096];

/** The smallest alignments that plain pread(2) takes: tried, as the kernel tells them to C programs only. */
function alignmentOf(fd: number, memory: Buffer): Direct {
  const isTaken = (at: number, size: number): boolean => {
    try {
      nodeFs.readSync(fd, memory, at, size, size);
      return true;
    } catch {
      return false;
    }
  };
  const offsetAlignment = SIZES.find((size) => isTaken(0, size));
  if (offsetAlignment === undefined) return { supported: true };
  const length = Math.max(offsetAlignment, 512);
  return { supported: true, offsetAlignment, memoryAlignment: ADDRESSES.find((address) => isTaken(address, length)) };
}

/** Some regular file in a folder that can be read, for what needs a name. */
function sampleIn(folder: string): string | undefined {
  const entries = nodeFs.readdirSync(folder, { withFileTypes: true }).slice(0, 1000);
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(folder, entry.name))
    .find((file) => {
      try {
        nodeFs.accessSync(file, nodeFs.constants.R_OK);
        return nodeFs.statSync(file).size > 0;
      } catch {
        return false;
      }
    });
}

async function pathLanes(folder: string, sample: string | undefined): Promise<Seen[]> {
  const { promises } = loadFs();
  const rows: Seen[] = [];
  const see = async (operation: string, run: () => Promise<unknown>): Promise<void> => {
    rows.push({ operation, lane: await laneOf(run) });
  };
  const needsSample = ['open', 'readFile'];
  // The first call meets the mount; what it learns the second one knows.
  await promises.stat(sample ?? folder);
  await see('stat', () => promises.stat(sample ?? folder));
  await see('readdir', () => promises.readdir(folder));
  if (sample === undefined) {
    const lane = 'not tried: the folder has no file that can be read';
    return [...rows, ...needsSample.map((operation) => ({ operation, lane }))];
  }
  let handle: import('node:fs/promises').FileHandle | undefined;
  await see('open', async () => {
    handle = await promises.open(sample, 'r');
  });
  await see('close', async () => handle?.close());
  if (nodeFs.statSync(sample).size <= 128 * 1024) {
    await promises.readFile(sample);
    await see('readFile, small and cached', () => promises.readFile(sample));
  }
  return rows;
}

async function fileLanes(files: Files, memory: Buffer, inMemory: boolean): Promise<Seen[]> {
  const fs = loadFs();
  const rows: Seen[] = [];
  const see = async (operation: string, fd: number | undefined, run: (fd: number) => Promise<void>): Promise<void> => {
    if (fd === undefined) rows.push({ operation, lane: `not tried: ${files.whyNot ?? files.whyNotDirect}` });
    else rows.push({ operation, lane: await laneOf(() => run(fd)) });
  };
  const read = (offset: number) => (fd: number) => called((callback) => fs.read(fd, memory, 0, 4096, offset, callback));
  const write = (offset: number) => (fd: number) =>
    called((callback) => fs.write(fd, memory, 0, 4096, offset, callback));
  const { buffered, direct, cold } = files;
  // Blocks that only the disk has, and descriptors that the engine knows.
  if (direct !== undefined) await called((callback) => fs.write(direct, memory, 0, BLOCK, 0, callback));
  for (const fd of [cold, buffered]) if (fd !== undefined) await called((callback) => fs.fstat(fd, callback));
  if (direct !== undefined && !inMemory) await see('read, not in the page cache', cold, read(32_768));
  // The first read behind a write updates the access time, see mount(8) on relatime.
  if (buffered !== undefined) await write(0)(buffered).then(() => read(0)(buffered));
  await see('read, cached', buffered, read(0));
  await see('write', buffered, write(0));
  await see('write that extends the file', buffered, write(2 * BLOCK));
  await see('read, O_DIRECT', direct, read(4096));
  await see('write, O_DIRECT', direct, write(4096));
  await see('fsync', buffered, (fd) => called((callback) => fs.fsync(fd, callback)));
  return rows;
}

/** Reads of one file alone: where nothing can be written on its filesystem, or the path is a block device. */
async function readLanes(file: string): Promise<Seen[]> {
  const fs = loadFs();
  const fd = nodeFs.openSync(file, 'r');
  const memory = Buffer.allocUnsafe(4096);
  const read = () => called((callback) => fs.read(fd, memory, 0, 4096, 0, callback));
  try {
    await read();
    return [{ operation: 'read, cached', lane: await laneOf(read) }];
  } finally {
    nodeFs.closeSync(fd);
  }
}

function directOf(files: Files, memory: Buffer): Direct {
  if (files.direct !== undefined) return alignmentOf(files.direct, memory);
  if (files.whyNot !== undefined) return { supported: false, reason: `not tried: ${files.whyNot}` };
  return { supported: false, reason: `open(2) with O_DIRECT answers ${files.whyNotDirect}` };
}

/** Everything that can be seen at a place without leaving a trace there. */
export async function lanesAt(place: Place, mayCreate: boolean): Promise<{ lanes: Seen[]; direct: Direct }> {
  if (place.kind === 'special') {
    const lane = 'node:fs: the engine takes regular files, directories and block devices';
    return { lanes: [{ operation: 'all', lane }], direct: { supported: false, reason: 'no file of a disk' } };
  }
  if (place.type === 'block device') {
    return { lanes: await readLanes(place.realPath), direct: { supported: true } };
  }
  const folder = place.type === 'directory' ? place.realPath : join(place.realPath, '..');
  const sample = place.type === 'directory' ? sampleIn(folder) : place.realPath;
  const isElsewhere = nodeFs.statSync(folder).dev !== nodeFs.statSync(place.realPath).dev;
  const files = isElsewhere ? { whyNot: 'the file is a mount of its own' } : openFiles(folder, mayCreate);
  const memory = loadEngine().alignedBuffer(BLOCK).fill(0x69);
  try {
    if (files.direct !== undefined) nodeFs.writeSync(files.direct, memory, 0, BLOCK, 0);
    const direct = directOf(files, memory);
    const lanes = [...(await pathLanes(folder, sample)), ...(await fileLanes(files, memory, place.kind === 'memory'))];
    const isUntried = files.buffered === undefined && sample !== undefined;
    return {
      lanes: isUntried
        ? [...lanes.filter(({ operation }) => operation !== 'read, cached'), ...(await readLanes(sample))]
        : lanes,
      direct,
    };
  } finally {
    for (const fd of [files.buffered, files.direct, files.cold]) if (fd !== undefined) nodeFs.closeSync(fd);
  }
}
