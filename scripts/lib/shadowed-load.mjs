// Changes of every kind to files in a folder, each also made to a copy in memory, and reads that are compared with it.
// For gluster.mjs: node shadowed-load.mjs FOLDER. Runs until its standard input says `stop`, then prints how much was
// done, the longest call in milliseconds, and the digest of each file as it has to be.
import { deepStrictEqual } from 'node:assert';
import { createHash, randomInt } from 'node:crypto';
import fs from 'ioengine/fs';

const [folder] = process.argv.slice(2);
const p = fs.promises;
const LANES = 16;
const FILES_OF_LANE = 4;
const BYTES_MAX = 64 * 1024;

let stopping = false;
let operations = 0;
let longest = 0;
process.stdin.once('data', () => {
  stopping = true;
});

async function timed(work) {
  const started = performance.now();
  const value = await work;
  longest = Math.max(longest, performance.now() - started);
  operations++;
  return value;
}

const bytes = () => Buffer.alloc(randomInt(1, BYTES_MAX), randomInt(256));
const missing = (error) => {
  if (error.code !== 'ENOENT') throw error;
};

/** A file and what it has to hold: undefined where there is none. */
class Shadowed {
  constructor(name) {
    this.path = `${folder}/${name}`;
    this.content = undefined;
  }

  async replace() {
    const content = bytes();
    await timed(p.writeFile(this.path, content));
    this.content = content;
  }

  async append() {
    const more = bytes().subarray(0, 1000);
    await timed(p.appendFile(this.path, more));
    this.content = Buffer.concat([this.content ?? Buffer.alloc(0), more]);
  }

  /** At a place inside, and synced. */
  async patch() {
    if (this.content === undefined) return this.replace();
    const more = bytes().subarray(0, 5000);
    const at = randomInt(this.content.length);
    const handle = await timed(p.open(this.path, 'r+'));
    await timed(handle.write(more, 0, more.length, at));
    await timed(handle.sync());
    await timed(handle.close());
    const grown = Buffer.alloc(Math.max(this.content.length, at + more.length));
    this.content.copy(grown);
    more.copy(grown, at);
    this.content = grown;
  }

  async remove() {
    await timed(p.unlink(this.path).catch(missing));
    this.content = undefined;
  }

  async rename() {
    if (this.content === undefined) return;
    await timed(p.rename(this.path, `${this.path}-moved`));
    await timed(p.rename(`${this.path}-moved`, this.path));
  }

  async truncate() {
    if (this.content === undefined) return;
    const size = randomInt(this.content.length + 1);
    await timed(p.truncate(this.path, size));
    this.content = this.content.subarray(0, size);
  }

  async compare() {
    const found = await timed(p.readFile(this.path).catch(missing));
    deepStrictEqual(found && digest(found), this.content && digest(this.content), `${this.path} is another`);
  }
}

const digest = (content) => createHash('sha256').update(content).digest('hex');
const KINDS = ['replace', 'append', 'patch', 'patch', 'remove', 'rename', 'truncate', 'compare', 'compare'];

const files = [];
async function lane(number) {
  const own = Array.from({ length: FILES_OF_LANE }, (_, i) => new Shadowed(`file-${number}-${i}`));
  files.push(...own);
  while (!stopping) await own[randomInt(own.length)][KINDS[randomInt(KINDS.length)]]();
  for (const file of own) await file.compare();
}

console.log('running');
await Promise.all(Array.from({ length: LANES }, (_, number) => lane(number)));
const digests = {};
for (const file of files)
  if (file.content !== undefined) digests[file.path.slice(folder.length + 1)] = digest(file.content);
console.log(JSON.stringify({ operations, longest, digests }));
process.exit(0);
