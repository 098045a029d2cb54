// The file systems that a case writes to: the disk below the repository, and memory.
import fs from 'node:fs';
import { join } from 'node:path';
import { dataFolder } from './paths.mjs';

const MEMORY = '/dev/shm';

/** @typedef {{ name: string, folder: string, kind?: string }} Place `kind` of the file system, where it was chosen */

/** @param {{ quick: boolean }} how only the first of them in a quick run @returns {Place[]} */
export function places({ quick }) {
  const disk = { name: 'disk', folder: join(dataFolder, 'places') };
  const memory = { name: 'tmpfs', folder: join(MEMORY, `ioengine-bench-${process.pid}`) };
  const all = fs.existsSync(MEMORY) ? [memory, disk] : [disk];
  return (quick ? all.slice(0, 1) : all).map((place) => {
    fs.mkdirSync(place.folder, { recursive: true });
    return place;
  });
}

process.on('exit', () => {
  fs.rmSync(join(MEMORY, `ioengine-bench-${process.pid}`), { recursive: true, force: true });
  fs.rmSync(join(dataFolder, 'places'), { recursive: true, force: true });
});
