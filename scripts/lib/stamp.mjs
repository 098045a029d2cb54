// Is what was built still current? A stamp holds a digest of the contents it was built from, so that
// neither a fresh clone's times nor a deleted source can fool it.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './paths.mjs';

/** Digest of file contents, their names, and anything else the result depends on (flags, versions). */
export function digestOf(files, extra = []) {
  const hash = createHash('sha256');
  for (const text of extra) hash.update(`${text}\0`);
  for (const file of files) {
    hash.update(`${path.relative(root, file)}\0`);
    hash.update(readFileSync(file));
  }
  return hash.digest('hex');
}

export function readStamp(file) {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return undefined;
  }
}

export function writeStamp(file, digest) {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `${digest}\n`);
}
