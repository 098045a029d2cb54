// Files in which every 4 KiB block says which file and which block it is, so that a byte from a wrong file, a wrong
// place or freed memory is recognised.
import fs from 'node:fs';

export const BLOCK_BYTES = 4096;

export function taggedBytes(tag, blocks, firstBlock = 0) {
  const bytes = Buffer.alloc(blocks * BLOCK_BYTES, tag & 0xff);
  for (let block = 0; block < blocks; block++) {
    bytes.writeUInt32LE(tag, block * BLOCK_BYTES);
    bytes.writeUInt32LE(firstBlock + block, block * BLOCK_BYTES + 4);
  }
  return bytes;
}

export function writeTagged(file, tag, blocks) {
  fs.writeFileSync(file, taggedBytes(tag, blocks));
  return file;
}

/** What is wrong with these bytes, read from block `firstBlock` of the file `tag`; undefined when nothing is. */
export function taggedFault(bytes, tag, firstBlock = 0) {
  const wanted = taggedBytes(tag, Math.ceil(bytes.length / BLOCK_BYTES), firstBlock).subarray(0, bytes.length);
  if (wanted.equals(bytes)) {
    return undefined;
  }
  const at = wanted.findIndex((value, index) => value !== bytes[index]);
  return `byte ${at} of ${bytes.length}: block ${bytes.readUInt32LE(4)} of file ${bytes.readUInt32LE(0)}, wanted block ${firstBlock} of file ${tag}`;
}
