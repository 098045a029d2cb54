// The content of the repository that programs/isomorphic-git.mjs makes, for the program and for its check.
import { patternText } from '../../helpers/tempdir.mjs';

export const FILES = 200;

export const fileText = (index, word = 'first') => `${word} ${index}\n${patternText(100 + index * 30, index + 1)}\n`;
