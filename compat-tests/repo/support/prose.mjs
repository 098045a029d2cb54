// What the rules about comments and documents read: which lines of a file are prose, how wide they are, what they name.
import { commentsOf } from './cpp.mjs';

const isNative = (name) => /\.(cc|h|c|def)$/.test(name);
const isMarkdown = (name) => name.endsWith('.md');

/** Of a line of JavaScript: its comment, whether it stands alone or behind code, and blanks for the rest. */
function commentOfLine(line) {
  if (/^\s*(\/\/|\/\*|\*)/.test(line)) return line;
  const at = line.search(/\s\/\/ /);
  if (at < 0) return '';
  const quotes = line.slice(0, at).match(/['"`]/g) ?? [];
  return quotes.length % 2 === 0 ? ' '.repeat(at) + line.slice(at) : '';
}

/** The lines of Markdown outside of blocks of code. */
function outsideFences(lines) {
  let isCode = false;
  return lines.map((line) => {
    const isFence = /^\s*```/.test(line);
    if (isFence) isCode = !isCode;
    return isCode || isFence ? '' : line;
  });
}

/**
 * The prose of a file, line by line: what is left of a Markdown file without its blocks of code, the comments of a
 * source.
 *
 * @param {string} name
 * @param {string} text
 */
export function proseOf(name, text) {
  if (isMarkdown(name)) return outsideFences(text.split('\n'));
  if (isNative(name)) return commentsOf(text).split('\n');
  return text.split('\n').map(commentOfLine);
}

const isTableRow = (line) => line.startsWith('|');
/** A word that nobody can break, such as an address. */
const canBeBroken = (line) =>
  line
    .trim()
    .replace(/^(\/\/|\*|-|>)\s*/, '')
    .includes(' ');

/** Lines of prose that are wider than that, as "file:line, n columns". */
export function wideLines(name, text, columnsMax) {
  return proseOf(name, text).flatMap((line, index) => {
    const columns = [...line.trimEnd()].length;
    if (columns <= columnsMax || (isMarkdown(name) && isTableRow(line)) || !canBeBroken(line)) return [];
    return [`${name}:${index + 1}, ${columns} columns`];
  });
}

/** Codes of one letter, such as H12, that prose names and the list does not have, as "file:line names H99". */
export function unknownCodes(name, text, letter, known) {
  const code = new RegExp(`\\b${letter}\\d{1,2}\\b`, 'g');
  return proseOf(name, text).flatMap((line, index) =>
    (line.match(code) ?? []).filter((one) => !known.has(one)).map((one) => `${name}:${index + 1} names ${one}`),
  );
}

const PATH = /(?<![\w./@:-])(?:\.\.?\/)*(?:[\w.-]+\/)*[\w-][\w.-]*\.(?:cc|h|c|def|ts|mts|cts|mjs|cjs|md|gyp)(?![\w/])/g;
const FOLDER_OR_FILE = /(?<![\w./@:-])(?:csrc|src|compat-tests|bench|scripts|docs)\/[\w./-]*\w/g;

/** Paths that a line of prose names, as they are written. */
function pathsIn(line) {
  const text = line.replace(/\S*\*\S*/g, ''); // a pattern names many
  return [...(text.match(PATH) ?? []), ...(text.match(FOLDER_OR_FILE) ?? [])];
}

/**
 * Paths named in prose that lead to nothing, as "file:line names other.cc". A path counts from the root, from the
 * folder of the file that names it, or is the end of a path: `scheduler/slots.h`.
 *
 * @param {(path: string) => boolean} isElsewhere paths that are no files of this repository
 */
export function deadPaths(name, text, files, isElsewhere) {
  const folder = name.includes('/') ? name.slice(0, name.lastIndexOf('/')) : '.';
  const exists = (written) => {
    const path = new URL(written, `file:///${folder}/`).pathname.slice(1).replace(/^\.\//, '');
    const plain = written.replace(/^(\.\.?\/)+/, '');
    return files.some(
      (file) =>
        file === path ||
        file.startsWith(`${path}/`) ||
        file === plain ||
        `/${file}`.endsWith(`/${plain}`) ||
        file.startsWith(`${plain}/`) ||
        file.startsWith(`${plain}-`) ||
        file.startsWith(`${plain}.`),
    );
  };
  return proseOf(name, text).flatMap((line, index) =>
    [...new Set(pathsIn(line))]
      .filter((written) => !isElsewhere(written, line) && !exists(written))
      .map((written) => `${name}:${index + 1} names ${written}`),
  );
}
