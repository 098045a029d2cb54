// What `cp` has been told to copy, as steps: folders first, then files, links and the modes of the folders.

import type { Dirent, Stats } from 'node:fs';
import { basename, join, relative, resolve, sep } from 'node:path';

type Promises = typeof import('node:fs/promises');
const loadPromises = () => (require('../fs') as typeof import('node:fs')).promises as Promises;

export interface FileStep {
  source: string;
  target: string;
  size: number;
}

export interface CopyPlan {
  folders: { source: string; target: string; mode: number }[];
  files: FileStep[];
  links: { source: string; target: string }[];
  /** Pipes, sockets and devices: not copied, and said so. */
  refused: string[];
  bytes: number;
}

async function statsOf(path: string): Promise<Stats | undefined> {
  try {
    return await loadPromises().stat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Where a link leads, so that its target and not the link is replaced. */
async function throughLinks(path: string): Promise<string> {
  try {
    return await loadPromises().realpath(path);
  } catch {
    return path;
  }
}

async function addTree(plan: CopyPlan, source: string, target: string, mode: number): Promise<void> {
  plan.folders.push({ source, target, mode });
  const entries: Dirent[] = await loadPromises().readdir(source, { withFileTypes: true });
  for (const entry of entries) {
    const from = join(source, entry.name);
    const to = join(target, entry.name);
    if (entry.isSymbolicLink()) {
      plan.links.push({ source: from, target: to });
      continue;
    }
    const stats = await loadPromises().lstat(from);
    if (stats.isDirectory()) await addTree(plan, from, to, stats.mode & 0o1777);
    else if (stats.isFile()) addFile(plan, from, to, stats.size);
    else plan.refused.push(from);
  }
}

function addFile(plan: CopyPlan, source: string, target: string, size: number): void {
  plan.files.push({ source, target, size });
  plan.bytes += size;
}

/** Throws where the two cannot be copied as they are named. */
export async function planCopy(source: string, target: string, recursive: boolean): Promise<CopyPlan> {
  const plan: CopyPlan = { folders: [], files: [], links: [], refused: [], bytes: 0 };
  if (target === '') throw new Error('DST is empty');
  const from = await loadPromises().stat(source);
  const there = await statsOf(target);
  const name = basename(resolve(source));
  const to = await throughLinks(there?.isDirectory() ? join(target, name) : target);
  const meant = await statsOf(to);
  if (meant !== undefined && meant.dev === from.dev && meant.ino === from.ino) {
    throw new Error(`${source} and ${to} are the same file`);
  }
  if (from.isDirectory()) {
    if (!recursive) throw new Error(`${source} is a folder: -r copies folders`);
    if (meant !== undefined && !meant.isDirectory()) throw new Error(`${to} is there and is no folder`);
    const inside = relative(await throughLinks(source), resolve(to));
    if (inside !== '' && !inside.startsWith(`..${sep}`) && inside !== '..') {
      throw new Error(`${to} is inside of ${source}: a folder cannot be copied into itself`);
    }
    await addTree(plan, source, to, from.mode & 0o1777);
    return plan;
  }
  if (!from.isFile()) throw new Error(`${source} is no regular file`);
  if (meant?.isDirectory()) throw new Error(`${to} is a folder`);
  if (meant !== undefined && !meant.isFile()) throw new Error(`${to} is no regular file`);
  // The rename at the end would refuse it, after all has been copied.
  if (to.endsWith(sep)) throw new Error(`${to} is not there: a file cannot be named so`);
  addFile(plan, source, to, from.size);
  return plan;
}
