// Writes files through createWriteStream, from memory, as lines of text, or through a pipeline from the data file.
// Every pass makes a file of its own, unless it is the case to overwrite one; they are deleted between rounds, untimed.
import fs from 'node:fs';
import process from 'node:process';
import { pipeline } from 'node:stream/promises';
import { expectedBytes, verifyBytes } from '../lib/blocks.mjs';
import { serve } from './protocol.mjs';
import { loadSubject } from './subject.mjs';

/**
 * `source`: copy it instead of writing from memory. `lines`: texts of `chunk` bytes, which wait for 'drain' or not at
 * all. `overwrite`: the same file again and again.
 * @type {{ subject: 'node' | 'ioengine', source?: string, lines?: 'drain' | 'flood', target: string, size: number,
 *   chunk: number, direct: boolean, overwrite: boolean, writeBehind?: number }}
 */
const config = JSON.parse(process.argv[2]);
const { source, lines, size, chunk, overwrite, writeBehind } = config;
const { fs: subject, engine } = await loadSubject(config.subject);
const direct = config.direct ? { direct: true } : {};
const options = { ...direct, ...(writeBehind === undefined ? {} : { writeBehind }) };
const target = `${config.target}-${process.pid}`;
let files = 0;

/** @param {number} pass */
const fileOf = (pass) => (overwrite ? target : `${target}-${pass}`);

/**
 * @param {string} file
 * @param {(position: number) => Buffer | string} chunkAt
 */
async function writeFile(file, chunkAt) {
  const stream = subject.createWriteStream(file, overwrite ? { ...options, flags: 'r+', start: 0 } : options);
  if (source !== undefined) {
    await pipeline(subject.createReadStream(source, { ...direct, highWaterMark: chunk, end: size - 1 }), stream);
  } else {
    await new Promise((resolve, reject) => {
      let position = 0;
      const more = () => {
        while (position < size) {
          const accepted = stream.write(chunkAt(position));
          position += chunk;
          if (!accepted && lines !== 'flood') return void stream.once('drain', more);
        }
        stream.end();
      };
      stream.on('error', reject).on('close', resolve);
      more();
    });
  }
  if (stream.bytesWritten !== size) throw new Error(`the stream wrote ${stream.bytesWritten} of ${size} bytes`);
}

/** @param {string} file */
function verifyFile(file) {
  if (fs.statSync(file).size !== size)
    throw new Error(`${file} has ${fs.statSync(file).size} bytes instead of ${size}`);
  const memory = Buffer.alloc(chunk);
  const fd = fs.openSync(file, 'r');
  for (let position = 0; position < size; position += chunk) {
    fs.readSync(fd, memory, 0, chunk, position);
    if (lines === undefined) verifyBytes(memory, position);
    else if (memory.latin1Slice() !== line) throw new Error(`${file} has another line at ${position}`);
  }
  fs.closeSync(fd);
}

function removeFiles() {
  for (; files > 0; files--) fs.rmSync(fileOf(files - 1), { force: true });
}

/** What the timed passes write again and again: making it is not what is measured. */
const line = `${'x'.repeat(chunk - 1)}\n`;
const memory = lines === undefined ? expectedBytes(0, chunk) : line;
process.on('exit', () => {
  removeFiles();
  if (overwrite) fs.rmSync(target, { force: true });
});

await serve({
  async prepare() {
    if (overwrite) fs.writeFileSync(target, Buffer.alloc(size), { flush: true });
    await writeFile(fileOf(0), (position) => (lines === undefined ? expectedBytes(position, chunk) : line));
    files = overwrite ? 0 : 1;
    verifyFile(fileOf(0));
    removeFiles();
  },
  facts: () => ({ backend: engine?.backend() }),
  lanes: () => engine?.stats().lanes,
  async run(passes) {
    for (let pass = 0; pass < passes; pass++) {
      if (!overwrite) files = pass + 1;
      await writeFile(fileOf(pass), () => memory);
    }
    return { work: passes * size };
  },
  check() {
    for (let pass = 0; pass < files; pass++) {
      const written = fs.statSync(fileOf(pass)).size;
      if (written !== size) throw new Error(`${fileOf(pass)} has ${written} bytes instead of ${size}`);
    }
    removeFiles();
  },
});
