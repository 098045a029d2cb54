// The file (1 GiB, less in a quick run) that every case reads: written once, kept for the next run, verified completely
// before each run (which also brings it into the page cache).
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';
import { BLOCK_SIZE, fillBlock, verifyBytes } from './blocks.mjs';
import { dataFolder } from './paths.mjs';

const CHUNK = 1 << 20;

/**
 * @param {number} size a power of two
 * @param {(text: string) => void} log
 * @returns {{ path: string, size: number }}
 */
export function prepareDataFile(size, log) {
  const path = join(dataFolder, size === 1 << 30 ? 'blocks-1g.bin' : `blocks-${size >> 20}m.bin`);
  fs.mkdirSync(dataFolder, { recursive: true });
  if (!fs.existsSync(path) || !isRight(path, size)) {
    log(`writing ${size >> 20} MiB of verifiable data, once`);
    writeFile(path, size);
    if (!isRight(path, size)) throw new Error(`${path}: what was written does not read back`);
  }
  return { path, size };
}

/** @param {string} path @param {number} size */
function writeFile(path, size) {
  const words = new Uint32Array(CHUNK / 4);
  const fd = fs.openSync(path, 'w');
  for (let position = 0; position < size; position += CHUNK) {
    for (let at = 0; at < CHUNK; at += BLOCK_SIZE) fillBlock(words, at / 4, (position + at) / BLOCK_SIZE);
    if (fs.writeSync(fd, words, 0, CHUNK, position) !== CHUNK) throw new Error(`${path}: short write`);
  }
  // On the disk before anything is timed: O_DIRECT readers must not find dirty pages.
  fs.fsyncSync(fd);
  fs.closeSync(fd);
}

/** @param {string} path @param {number} size */
function isRight(path, size) {
  if (fs.statSync(path).size !== size) return false;
  const chunk = Buffer.allocUnsafeSlow(CHUNK);
  const fd = fs.openSync(path, 'r');
  try {
    for (let position = 0; position < size; position += CHUNK) {
      if (fs.readSync(fd, chunk, 0, CHUNK, position) !== CHUNK) return false;
      verifyBytes(chunk, position);
    }
    return true;
  } catch {
    return false;
  } finally {
    fs.closeSync(fd);
  }
}

/**
 * How much of the file is in the page cache, for the record: a cached case is one only if this is all of it.
 * @param {{ path: string, size: number }} file
 */
export function residency(file) {
  try {
    const bytes = Number(execFileSync('fincore', ['-b', '-n', '-o', 'RES', file.path], { encoding: 'utf8' }));
    return `${((100 * bytes) / file.size).toFixed(1)} % of the file in the page cache`;
  } catch {
    return 'page cache residency unknown (no fincore)';
  }
}
