// What programs/write-file-atomic.mjs writes, for the program and for its check.
import { patternBytes, patternText } from '../../helpers/tempdir.mjs';

export const FILES = 24;
export const ROUNDS = 5;

/** Bytes and text take different ways through the package. */
export function contentOf(index, round) {
  const length = 1 + index * 7000 + round;
  return index % 2 === 0 ? patternBytes(length, round + 1) : `é${patternText(length, round + 1)}`;
}
