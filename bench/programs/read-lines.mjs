// The lines of a file: FILE
import { open } from 'node:fs/promises';

const handle = await open(process.argv[2]);
let lines = 0;
let length = 0;
let sum = 0;
for await (const line of handle.readLines()) {
  lines++;
  length += line.length;
  sum = (sum * 31 + line.charCodeAt(line.length - 1)) | 0;
}
console.log(lines, length, sum);
