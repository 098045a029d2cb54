// Trees of files to work on, and what find(1), sha256sum(1) and diff(1) say about them.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { patternBytes } from '../../helpers/tempdir.mjs';

/** Every tree has these dates: archives and entity tags of two runs are the same then. */
const WHEN = new Date('2024-02-03T04:05:06Z');

/** Runs a program of the system to its end; its output, or an error with all that it said. */
export function tool(program, args, options = {}) {
  const env = { ...process.env, LC_ALL: 'C', ...options.env };
  const { status, signal, stdout, stderr, error } = spawnSync(program, args, {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
    ...options,
    env,
  });
  if (error) throw error;
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${signal ?? status}\n${stdout}${stderr}`);
  return stdout;
}

const SIZES = [0, 1, 511, 4096, 5000, 40_000, 65_536, 150_000, 400_000];

/** `count` files in nested folders: empty ones, large ones, executable ones, odd names, links and an empty folder. */
export function makeTree(top, count, sizes = SIZES) {
  for (let index = 0; index < count; index++) {
    const folder = path.join(top, `part ${index % 5}`, `d${index % 3}`);
    fs.mkdirSync(folder, { recursive: true });
    const file = path.join(
      folder,
      index % 7 === 0 ? `.hidden-${index}.txt` : `file-é-${index}.${index % 2 ? 'js' : 'txt'}`,
    );
    fs.writeFileSync(file, patternBytes(sizes[index % sizes.length], index + 1));
    fs.chmodSync(file, index % 4 === 0 ? 0o755 : 0o644);
  }
  fs.mkdirSync(path.join(top, 'empty'), { recursive: true });
  fs.symlinkSync('part 0', path.join(top, 'link-to-folder'));
  fs.symlinkSync('nowhere', path.join(top, 'link-to-nothing'));
  setDates(top);
  return top;
}

/** Folders last: writing into them would change their dates again. */
export function setDates(top) {
  for (const entry of fs.readdirSync(top, { withFileTypes: true })) {
    const name = path.join(top, entry.name);
    if (entry.isDirectory()) setDates(name);
    else fs.lutimesSync(name, WHEN, WHEN);
  }
  fs.utimesSync(top, WHEN, WHEN);
}

/** Lines of find(1) with these arguments, sorted; names are relative to `folder`. */
export function found(folder, ...args) {
  const format = args.includes('-printf') ? [] : ['-printf', '%P\\n'];
  return tool('find', ['.', ...args, ...format], { cwd: folder })
    .split('\n')
    .filter(Boolean)
    .sort();
}

/** `name -> sha256` of all regular files below a folder. */
export function sums(folder) {
  const lines = tool('find', ['.', '-type', 'f', '-exec', 'sha256sum', '{}', '+'], { cwd: folder }).split('\n');
  const pairs = lines.filter(Boolean).map((line) => [line.slice(66), line.slice(0, 64)]);
  return Object.fromEntries(pairs.sort(([a], [b]) => (a < b ? -1 : 1)));
}

export const sumOf = (file) => tool('sha256sum', ['--', file]).slice(0, 64);

/** Throws unless diff(1) finds two trees the same, links as links. */
export function expectSameTree(a, b) {
  tool('diff', ['--recursive', '--no-dereference', a, b]);
}
