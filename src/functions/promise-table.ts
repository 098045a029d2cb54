// The functions of node:fs/promises that the engine serves. A FileHandle of node's own stays with node.

import type { PathLike } from 'node:fs';
import { open as openHandle } from '../descriptor/open';
import { countDelegated } from '../engine/engine';
import { type IoFileHandle, isIoFileHandle } from '../file-handle/file-handle';
import { nodePromises } from '../node/promises';
import { accessPath } from './access';
import { pathPromises } from './pool-job-forms';
import { readPath } from './read-file';
import { type StatName, statPath } from './stat';
import { type WriteFlag, writePath } from './write-file';

/** A closed one is node's too: it fails in another way than the methods of a closed handle do. */
function isOpenHandle(path: unknown): path is IoFileHandle {
  return isIoFileHandle(path) && path.fd >= 0;
}

async function open(path: PathLike, flags: unknown, mode: unknown): Promise<unknown> {
  return openHandle(path, flags as string, mode as number);
}

// The plainest form without the ticks of an async function.
function readFile(path: unknown, options: unknown): Promise<unknown> {
  const plain = typeof path === 'string' && (options === undefined || typeof options === 'string');
  return (plain ? readPath(path, options) : undefined) ?? readOther(path, options);
}

async function readOther(path: unknown, options: unknown): Promise<unknown> {
  if (isOpenHandle(path)) return path.readFile(options as never);
  const promise = readPath(path, options);
  if (promise !== undefined) return promise;
  countDelegated();
  return nodePromises.readFile(path as string, options as never);
}

async function writeNamed(path: unknown, data: unknown, options: unknown, flag: WriteFlag): Promise<void> {
  if (isOpenHandle(path)) return path.writeFile(data as string, options as never);
  const promise = writePath(path, data, options, flag);
  if (promise !== undefined) return promise;
  countDelegated();
  const hostWrite = flag === 'a' ? nodePromises.appendFile : nodePromises.writeFile;
  return hostWrite(path as string, data as string, options as never);
}

// As with readFile.
function writePlainest(path: unknown, data: unknown, options: unknown, flag: WriteFlag): Promise<void> | undefined {
  const plain = typeof path === 'string' && (options === undefined || typeof options === 'string');
  return plain ? writePath(path, data, options, flag) : undefined;
}

function attributes(name: StatName, path: unknown, options: unknown): Promise<unknown> {
  const byNode = (): Promise<unknown> => nodePromises[name](path as PathLike, options as never);
  const promise = statPath(name, path, options, byNode);
  if (promise !== undefined) return promise;
  countDelegated();
  return byNode();
}

export const promiseFunctions = {
  ...pathPromises,

  open,
  readFile,

  // Methods, because these are no constructors, as async functions are none; `async` itself would cost ticks.
  writeFile(path: unknown, data: unknown, options: unknown): Promise<void> {
    return writePlainest(path, data, options, 'w') ?? writeNamed(path, data, options, 'w');
  },

  appendFile(path: unknown, data: unknown, options: unknown): Promise<void> {
    return writePlainest(path, data, options, 'a') ?? writeNamed(path, data, options, 'a');
  },

  stat(path: unknown, options: unknown): Promise<unknown> {
    return attributes('stat', path, options);
  },

  lstat(path: unknown, options: unknown): Promise<unknown> {
    return attributes('lstat', path, options);
  },

  access(path: unknown, mode: unknown): Promise<unknown> {
    const byNode = (): Promise<unknown> => nodePromises.access(path as PathLike, mode as number);
    const promise = accessPath(path, mode, byNode);
    if (promise !== undefined) return promise;
    countDelegated();
    return byNode();
  },
};
