// Compiled and run by typescript.test.mjs, in a folder where the package is installed.
import { alignedBuffer, backend, type OpenOptions, stats } from 'ioengine';
import * as named from 'ioengine/fs';
import fs, { open, readFileSync, type Stats } from 'ioengine/fs';
import * as promised from 'ioengine/fs/promises';
import fsp, { readFile } from 'ioengine/fs/promises';

export const asNode: typeof import('node:fs') = fs;
export const namesAsNode: typeof import('node:fs') = named;
export const promisesAsNode: typeof import('node:fs/promises') = fsp;
export const promisedNamesAsNode: typeof import('node:fs/promises') = promised;
export const openAsNode: typeof import('node:fs')['open'] = open;

export const options: OpenOptions = { flags: 'w+', direct: 'try' };
const handle = await open('typed', options);
await handle.write(Buffer.from('text'), 0, 4, 0);
const found: Stats = await handle.stat();
await handle.close();
const text: string = await readFile('typed', 'utf8');
const same: Buffer = readFileSync('typed');
const size: number = alignedBuffer(4096).length + stats().lanes.inline.operations;
console.log(text, found.size === same.length && size > 0 && backend().name.length > 0);

// @ts-expect-error: a Buffer is no number
export const wrong: number = readFileSync('typed');
