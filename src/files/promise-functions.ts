// The functions of node:fs/promises that the engine serves.

import type { PathLike } from 'node:fs';
import { countDelegated } from '../engine/runtime';
import { hostPromises } from '../internal/host';
import { open as openHandle } from './open';
import { readFile as readWhole, writeFile as writeWhole } from './whole-files';

// biome-ignore lint/suspicious/noExplicitAny: node's functions with all their overloads
const host = hostPromises as any;

interface HandleLike {
  readFile(options: unknown): Promise<unknown>;
  writeFile(data: unknown, options: unknown): Promise<void>;
  appendFile(data: unknown, options: unknown): Promise<void>;
}

function isHandle(value: unknown): value is HandleLike {
  return typeof value === 'object' && value !== null && !(value instanceof Uint8Array) && !(value instanceof URL) && 'readFile' in value && 'fd' in value;
}

async function open(path: PathLike, flags: unknown, mode: unknown): Promise<unknown> {
  return openHandle(path, flags as string, mode as number);
}

async function readFile(path: unknown, options: unknown): Promise<unknown> {
  if (isHandle(path)) return path.readFile(options);
  const promise = typeof path === 'number' ? undefined : readWhole(path, options);
  if (promise !== undefined) return promise;
  countDelegated();
  return host.readFile(path, options);
}

async function writeFile(path: unknown, data: unknown, options: unknown): Promise<void> {
  if (isHandle(path)) return path.writeFile(data, options);
  const promise = typeof path === 'number' ? undefined : writeWhole(path, data, options, 'w');
  if (promise !== undefined) return promise;
  countDelegated();
  return host.writeFile(path, data, options);
}

async function appendFile(path: unknown, data: unknown, options: unknown): Promise<void> {
  if (isHandle(path)) return path.appendFile(data, options);
  const promise = typeof path === 'number' ? undefined : writeWhole(path, data, options, 'a');
  if (promise !== undefined) return promise;
  countDelegated();
  return host.appendFile(path, data, options);
}

export const promiseFunctions = { open, readFile, writeFile, appendFile };
