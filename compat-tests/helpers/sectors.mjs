// Data that says what it is: each sector names its file, its place and its version.
export const SECTOR_BYTES = 512;

/** Says it from its first byte to its last: one of which a part is missing is none. */
export function sector(file, index, version) {
  return Buffer.alloc(SECTOR_BYTES, `${file} ${index} ${version}\n`, 'latin1');
}

export function sectors(file, from, count, version) {
  return Buffer.concat(Array.from({ length: count }, (_, i) => sector(file, from + i, version)));
}

/** The version of a sector; undefined where it is not one of this file and place. */
export function versionOf(bytes, file, index) {
  const end = bytes.indexOf(10);
  const [name, place, version] = bytes.subarray(0, Math.max(0, end)).toString('latin1').split(' ');
  if (name !== file || place !== String(index) || version === undefined) return undefined;
  return sector(file, index, Number(version)).equals(bytes) ? Number(version) : undefined;
}
