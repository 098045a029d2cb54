// Which of the user's files are read, and how. Nothing is written but into a folder of our own, and only when told to.

import { type Dirent, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Task } from './bench-tasks';

interface Found {
  path: string;
  size: number;
}

export interface Plan {
  tasks: Task[];
  /** What was found, and what of it is used. */
  description: string[];
}

const SMALL = 1024 * 1024;
const BLOCK = 4096;
/** Reads of a stream and of whole large files stay below this in one pass. */
const LARGE_MAX = 1024 * 1024 * 1024;
const SMALL_TOTAL_MAX = 512 * 1024 * 1024;

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return []; // Not ours to read; what can be read is measured.
  }
}

/** Regular files below a folder, breadth first, links not followed, until there are enough. */
function filesBelow(top: string, limit: number): { files: Found[]; complete: boolean } {
  const files: Found[] = [];
  const folders = [top];
  for (const folder of folders) {
    for (const entry of entriesOf(folder)) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) folders.push(path);
      if (!entry.isFile()) continue;
      if (files.length === limit) return { files, complete: false };
      const stats = statSync(path, { throwIfNoEntry: false });
      if (stats !== undefined) files.push({ path, size: stats.size });
    }
  }
  return { files, complete: true };
}

function tasksOfOne({ path, size }: Found, direct: boolean): Task[] {
  const paths = [path];
  const tasks: Task[] = [];
  if (size >= 16 * BLOCK) {
    const random = { unit: 'reads', kind: 'random', paths, size } as const;
    tasks.push({ ...random, name: 'read 4 KiB at random, 1 at a time', atOnce: 1 });
    tasks.push({ ...random, name: 'read 4 KiB at random, 32 at a time', atOnce: 32 });
    if (direct) tasks.push({ ...random, name: 'read 4 KiB, O_DIRECT, 32 at a time', atOnce: 32, direct });
  }
  if (size > 0 && size <= LARGE_MAX) {
    tasks.push({ name: 'createReadStream', unit: 'MB', kind: 'stream', paths, atOnce: 1, size });
  }
  return tasks;
}

function tasksOfMany(files: Found[]): Task[] {
  let total = 0;
  const readable = files.filter(({ size }) => {
    if (size > SMALL || total + size > SMALL_TOTAL_MAX) return false;
    total += size;
    return true;
  });
  const all = files.map(({ path }) => path);
  const small = readable.map(({ path }) => path);
  const stat = { unit: 'files', kind: 'stat', paths: all, size: 0 } as const;
  const read = { unit: 'files', kind: 'readFile', paths: small, size: total } as const;
  const tasks: Task[] = [{ ...stat, name: 'stat, 64 at a time', atOnce: 64 }];
  if (small.length > 0) {
    tasks.push({ ...read, name: 'readFile, 1 at a time', atOnce: 1 });
    tasks.push({ ...read, name: 'readFile, 64 at a time', atOnce: 64 });
  }
  return tasks;
}

const WRITTEN_FILES = 500;
const WRITTEN_BYTES = 64 * 1024 * 1024;

/** Writes into a folder that is empty and ours. */
function tasksOfWriting(folder: string): Task[] {
  const paths = [folder];
  return [
    { name: 'writeFile 4 KiB, 64 at a time', unit: 'files', kind: 'writeFile', paths, atOnce: 64, size: WRITTEN_FILES },
    { name: 'createWriteStream', unit: 'MB', kind: 'writeStream', paths, atOnce: 1, size: WRITTEN_BYTES },
  ];
}

export function planFor(path: string, filesMax: number, direct: boolean, scratch: string | undefined): Plan {
  const stats = statSync(path);
  const writing = scratch === undefined ? [] : tasksOfWriting(scratch);
  if (stats.isFile()) {
    const whole = stats.size > 0 && stats.size <= SMALL * 64;
    const read: Task = {
      name: 'readFile',
      unit: 'files',
      kind: 'readFile',
      paths: [path],
      atOnce: 1,
      size: stats.size,
    };
    return {
      tasks: [...tasksOfOne({ path, size: stats.size }, direct), ...(whole ? [read] : []), ...writing],
      description: [],
    };
  }
  if (!stats.isDirectory()) throw new Error(`${path} is neither a file nor a folder`);
  const { files, complete } = filesBelow(path, filesMax);
  if (files.length === 0) throw new Error(`${path} has no regular file that can be read`);
  const largest = files.reduce((best, file) => (file.size > best.size && file.size <= LARGE_MAX ? file : best));
  const description = complete
    ? []
    : [`There are more files: the first ${filesMax.toLocaleString('en-US')} are used (--files).`];
  if (largest.size >= 16 * BLOCK) description.push(`Random reads and the stream are of the largest: ${largest.path}.`);
  const tasks = [...tasksOfMany(files), ...(largest.size >= 16 * BLOCK ? tasksOfOne(largest, direct) : []), ...writing];
  return { tasks, description };
}
