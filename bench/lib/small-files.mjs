// The tree of small files: 16,384 of 1 to 16 KiB, each with the number of its file in every word. Written once, kept
// for the next run; each worker verifies it, which also brings it into the page cache.
import fs from 'node:fs';
import { join } from 'node:path';
import { dataFolder } from './paths.mjs';

/** A power of two, as randomPositions() needs it: another mask would leave most of the files out. */
export const FILES = 16_384;
const KIB = 1024;
const BYTES_MIN = KIB;
const BYTES_RANGE = 15 * KIB;

/** @param {number} index */
export const sizeOfFile = (index) => (BYTES_MIN + ((index * 7919) % BYTES_RANGE)) & ~3;

/** Ten folders would do; a hundred keep each directory small. @param {string} folder @param {number} index */
export const pathOfFile = (folder, index) => `${folder}/${index % 100}/${index}`;

/** @param {number} index */
function contentOf(index) {
  return Buffer.from(new Uint32Array(sizeOfFile(index) / 4).fill(index).buffer);
}

/** @param {Uint8Array} bytes @param {number} index */
export function verifyFile(bytes, index) {
  if (!contentOf(index).equals(bytes)) throw new Error(`file ${index}: ${bytes.length} bytes that are not its own`);
}

/** @param {(text: string) => void} log @param {string} [parent] @param {number} [files] */
export function prepareSmallFiles(log, parent = dataFolder, files = FILES) {
  const folder = join(parent, 'small-files');
  const last = pathOfFile(folder, files - 1);
  if (fs.existsSync(last) && fs.statSync(last).size === sizeOfFile(files - 1)) return folder;
  log(`writing ${files} small files, once`);
  for (let i = 0; i < 100; i++) fs.mkdirSync(`${folder}/${i}`, { recursive: true });
  for (let i = 0; i < files; i++) fs.writeFileSync(pathOfFile(folder, i), contentOf(i));
  return folder;
}
