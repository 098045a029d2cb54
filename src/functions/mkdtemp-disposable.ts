// mkdtempDisposable: a directory with a way to remove it, over mkdtemp and rm.

import { resolve } from 'node:path';
import { tryParseNameEncoding } from '../engine/arguments';
import { nodePromiseFunctions } from './pool-job-forms';
import { pathSyscallPromises } from './path-syscalls';
import { rmPromise } from './rm';

const asyncDispose = (Symbol as { asyncDispose?: symbol }).asyncDispose;

const ALL_OF_IT = { recursive: true, force: true, maxRetries: 0, retryDelay: 0 };

export async function mkdtempDisposable(prefix: unknown, options: unknown): Promise<unknown> {
  const encoding = tryParseNameEncoding(options);
  // A path in bytes is one that node cannot remove either.
  if (encoding === undefined || encoding === 'buffer') return nodePromiseFunctions.mkdtempDisposable!(prefix, options);
  const folder = process.cwd();
  const path = (await pathSyscallPromises.mkdtemp(prefix, options)) as string;
  const whole = resolve(folder, path);
  const remove = async (): Promise<void> => {
    await rmPromise(whole, ALL_OF_IT);
  };
  const result = Object.assign(Object.create(null), { path, remove });
  const { [asyncDispose!]: dispose } = {
    async [asyncDispose!](): Promise<void> {
      await remove();
    },
  };
  result[asyncDispose!] = dispose;
  return result;
}
