// The sha256 of every file of a tree, 64 at a time: TREE
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

const tree = process.argv[2];
const entries = await readdir(tree, { recursive: true, withFileTypes: true });
const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
files.sort();
const digests = new Array(files.length);
let next = 0;
const worker = async () => {
  while (next < files.length) {
    const i = next++;
    digests[i] = createHash('sha256')
      .update(await readFile(files[i]))
      .digest('hex');
  }
};
await Promise.all(Array.from({ length: 64 }, worker));
console.log(files.length, createHash('sha256').update(digests.join()).digest('hex'));
