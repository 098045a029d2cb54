// The same as esm.mts, for modes in which the file's ending says nothing about its kind.
import { alignedBuffer, type OpenOptions } from 'ioengine';
import fs, { open, readFileSync, type Stats } from 'ioengine/fs';
import * as fsp from 'ioengine/fs/promises';

export const promisesAsNode: typeof import('node:fs/promises') = fsp;
export const openAsNode: typeof import('node:fs')['open'] = fs.open;
export const asNode: typeof import('node:fs') = fs;

export async function main(options: OpenOptions): Promise<string> {
  const handle = await open('typed', options);
  const found: Stats = await handle.stat();
  await handle.close();
  const same: Buffer = readFileSync('typed');
  return (await fsp.readFile('typed', 'utf8')) + found.size + same.length + alignedBuffer(4096).length;
}

// @ts-expect-error: a Buffer is no number
export const wrong: number = readFileSync('typed');
