// What two programs must have left alike: the names, kinds and bytes of all that is below a folder.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { join } from 'node:path';

/** @param {string} folder */
export function treeDigest(folder) {
  const hash = createHash('sha256');
  for (const name of fs.readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    const path = join(folder, name);
    const stats = fs.lstatSync(path);
    hash.update(`${name}\0${stats.mode}\0${stats.size}\0`);
    if (stats.isFile()) hash.update(fs.readFileSync(path));
  }
  return hash.digest('hex');
}
