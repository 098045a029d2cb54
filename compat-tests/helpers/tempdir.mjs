// Temporary directories. Twin directories have names of equal length, so that even messages that contain a path
// have the same length on both sides.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const made = new Set();

/** Where thousands of files cost the disk nothing; undefined for the usual place. */
export const inMemory = fs.existsSync('/dev/shm') ? '/dev/shm' : undefined;

export function temporaryDirectory(base = os.tmpdir()) {
  const directory = fs.mkdtempSync(path.join(base, 'ioengine-test-'));
  made.add(directory);
  return directory;
}

export function removeDirectory(directory) {
  fs.rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
  made.delete(directory);
}

/** `{ root, node, ours }`: two empty directories below one root. */
export function twinDirectories(base) {
  const root = temporaryDirectory(base);
  const twins = { root, node: path.join(root, 'node'), ours: path.join(root, 'ours') };
  fs.mkdirSync(twins.node);
  fs.mkdirSync(twins.ours);
  return twins;
}

process.on('exit', () => {
  for (const directory of made) fs.rmSync(directory, { recursive: true, force: true });
});

/** Deterministic bytes in which every 4 KiB block differs from its neighbours: a misplaced block is seen. */
export function patternBytes(length, seed = 1) {
  const bytes = Buffer.allocUnsafe(length);
  let state = (seed * 2654435761) >>> 0 || 1;
  for (let i = 0; i < length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[i] = state & 0xff;
  }
  return bytes;
}

/** Like patternBytes, but printable and free of newlines except one per 61 bytes. */
export function patternText(length, seed = 1) {
  const bytes = patternBytes(length, seed);
  for (let i = 0; i < length; i++) bytes[i] = i % 61 === 60 ? 10 : 97 + (bytes[i] % 26);
  return bytes.toString('latin1');
}
