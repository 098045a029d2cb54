// Counts what this process has running: its threads, its io_uring rings and its AIO contexts. First after the import of
// the subject, then after one read through it (which shows that the counting would see them).
import fs from 'node:fs';
import process from 'node:process';

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
const handle = await subject.promises.open(config.file, 'r');
const { bytesRead } = await handle.read(Buffer.alloc(4096), 0, 4096, 0);
const after = count();
await handle.close();
if (bytesRead !== 4096) throw new Error(`${bytesRead} bytes read`);
console.log(JSON.stringify({ before, after }));
