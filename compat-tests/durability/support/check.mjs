// What the victim was promised, up to a moment, against what a reboot found.
import fs from 'node:fs';
import path from 'node:path';
import { SECTOR_BYTES, versionOf } from '../../helpers/sectors.mjs';

/** What the victim has said; its last line may be cut off. */
export const readClaims = (file) => {
  const lines = fs.readFileSync(file, 'utf8').split('\n');
  return lines.slice(0, -1).map((line) => JSON.parse(line));
};

/** One file's promises. */
class Promised {
  /** For each sector the version that it has to have at least. */
  least = [];
  /** { count, version } where nobody may be writing it; `atLeast`: or a later one, but always a whole one. */
  exact = undefined;

  take(claim) {
    if (claim.is === 'sectors') {
      for (let i = claim.from; i < claim.from + claim.count; i++) this.least[i] = claim.version;
    } else {
      this.exact = claim.is === 'changing' ? undefined : claim;
    }
  }
}

/** The files of the claims before `end`, by name. */
export class Expected {
  #files = new Map();
  #claims;
  #taken = 0;

  constructor(claims) {
    this.#claims = claims;
  }

  /** Takes over all claims up to a mark; marks only grow. */
  advance(mark) {
    for (; this.#taken <= mark; this.#taken++) {
      const claim = this.#claims[this.#taken];
      if (!this.#files.has(claim.file)) this.#files.set(claim.file, new Promised());
      this.#files.get(claim.file).take(claim);
    }
  }

  /** What is missing or wrong below a folder, in sentences. */
  faults(folder) {
    return [...this.#files].flatMap(([name, promised]) => fileFaults(folder, name, promised));
  }
}

function fileFaults(folder, name, { least, exact }) {
  if (least.length === 0 && exact === undefined) return [];
  let bytes;
  try {
    bytes = fs.readFileSync(path.join(folder, name));
  } catch (error) {
    return [`${name}: ${error.code}`];
  }
  const version = (index) => {
    const one = bytes.subarray(index * SECTOR_BYTES, (index + 1) * SECTOR_BYTES);
    return one.length === SECTOR_BYTES ? versionOf(one, name, index) : undefined;
  };
  if (exact === undefined) {
    const index = least.findIndex((wanted, i) => wanted !== undefined && !(version(i) >= wanted));
    if (index === -1) return [];
    return [
      `${name}: sector ${index} has version ${version(index)}, ${least[index]} was synced; ${bytes.length} bytes`,
    ];
  }
  const found = version(0);
  if (exact.is === 'exact' && (found !== exact.version || bytes.length !== exact.count * SECTOR_BYTES)) {
    return [
      `${name}: version ${found}, ${bytes.length} bytes; ${exact.count * SECTOR_BYTES} of ${exact.version} synced`,
    ];
  }
  if (!(found >= exact.version)) return [`${name}: version ${found}, but ${exact.version} was synced`];
  for (let i = 0; i < bytes.length / SECTOR_BYTES; i++) {
    if (version(i) !== found) return [`${name}: sector ${i} has version ${version(i)}, the first has ${found}`];
  }
  return [];
}
