// What slow-mount-worker.mjs reads.
import { writeFileSync } from 'node:fs';

const BLOCK = 4096;
const BLOCKS = 1024;
const FILES = 2000;

export function prepareFiles(folder) {
  const blocks = Buffer.alloc(BLOCKS * BLOCK);
  for (let i = 0; i < BLOCKS; i++) blocks.writeUInt32LE(i, i * BLOCK);
  writeFileSync(`${folder}/large`, blocks);
  for (let i = 0; i < FILES; i++) writeFileSync(`${folder}/small-${i}`, Buffer.alloc(1000, 's'));
}
