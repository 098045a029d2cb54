// Compiled by types.test.mjs, which expects an error on each marked line and on no other.
import { alignedBuffer } from 'ioengine';
import { createReadStream, open, read } from 'ioengine/fs';
import { readFile } from 'ioengine/fs/promises';

export async function misuse(): Promise<void> {
  const handle = await open('file');
  await handle.write(5); // refused
  open(5); // refused
  createReadStream('file', { direct: 'maybe' }); // refused
  const text: number = await readFile('file', 'utf8'); // refused
  read('fd', Buffer.alloc(1), 0, 1, 0, () => text); // refused
  alignedBuffer('4096'); // refused
  await handle.noSuchMethod(); // refused
  await handle.close();
}
