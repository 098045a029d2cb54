// Counts what this process has running: its threads, its io_uring rings and its AIO contexts. First after the import of
// the subject, then after one O_DIRECT read through it, which the page cache cannot answer: a backend must have begun
// to work, and the counting must show it.
import fs from 'node:fs';
import process from 'node:process';
import { verifyBytes } from '../lib/blocks.mjs';
import { pageAlignedBuffers } from './subject.mjs';

/** @type {{ module: string, file: string }} */
const config = JSON.parse(process.argv[2]);

function count() {
  const links = fs.readdirSync('/proc/self/fd').map((fd) => {
    try {
      return fs.readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return ''; // the descriptor of the listing itself
    }
  });
  return {
    threads: fs.readdirSync('/proc/self/task').length,
    rings: links.filter((link) => link === 'anon_inode:[io_uring]').length,
    aioContexts: fs
      .readFileSync('/proc/self/maps', 'utf8')
      .split('\n')
      .filter((line) => line.includes('/[aio]')).length,
  };
}

const { default: subject } = await import(config.module);
const before = count();
const [buffer] = pageAlignedBuffers(4096, 1);
const { O_RDONLY, O_DIRECT } = fs.constants;
const handle = await subject.promises.open(config.file, O_RDONLY | O_DIRECT);
const { bytesRead } = await handle.read(buffer, 0, 4096, 0);
const after = count();
await handle.close();
verifyBytes(buffer.subarray(0, bytesRead), 0);
if (bytesRead !== 4096) throw new Error(`${bytesRead} bytes read`);
console.log(JSON.stringify({ before, after }));
