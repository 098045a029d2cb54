// The same as esm.mts, with require.
import engine = require('ioengine');
import fs = require('ioengine/fs');
import fsp = require('ioengine/fs/promises');

const { readFileSync } = fs;

export const asNode: typeof import('node:fs') = fs;
export const promisesAsNode: typeof import('node:fs/promises') = fsp;

async function main(): Promise<void> {
  const handle = await fs.open('typed', 'w+', 0o600);
  await handle.write(Buffer.from('text'), 0, 4, 0);
  const found: fs.Stats = await handle.stat();
  await handle.close();
  const text: string = await fsp.readFile('typed', 'utf8');
  const same: Buffer = readFileSync('typed');
  console.log(text, found.size === same.length && engine.backend().name.length > 0);
}

export async function refused(): Promise<void> {
  // @ts-expect-error: a Buffer is no number
  const wrong: number = readFileSync('typed');
  console.log(wrong);
}

main();
