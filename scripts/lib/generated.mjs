// Files, and parts of files, that are written from a table elsewhere.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './paths.mjs';
import { PlainError, say } from './run.mjs';

/** `text` with what stands between `<!-- name -->` and `<!-- /name -->` replaced. */
export function withSection(file, name, body) {
  const text = readFileSync(file, 'utf8');
  const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [start, end] = [text.indexOf(open), text.indexOf(close)];
  if (start < 0 || end < start) throw new PlainError(`${path.relative(root, file)} has no ${open} ... ${close}`);
  return `${text.slice(0, start + open.length)}\n${body}\n${text.slice(end)}`;
}

/** A Markdown table; cells must not hold line breaks. */
export function table(heads, rows) {
  const line = (cells) => `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Writes the files; with `check` writes nothing and fails where one of them differs. */
export function writeGenerated(files, { check, command }) {
  const stale = files.filter(({ file, text }) => !existsSync(file) || readFileSync(file, 'utf8') !== text);
  const names = stale.map(({ file }) => path.relative(root, file));
  if (check && stale.length > 0) throw new PlainError(`not current: ${names.join(', ')}; ${command} writes them`);
  for (const { file, text } of stale) writeFileSync(file, text);
  say(stale.length === 0 ? 'generated files are current' : `wrote ${names.join(', ')}`);
}
