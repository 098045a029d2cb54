// Files that stay in the page cache for as long as the benchmark runs, whatever else the machine does with its memory.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { buildLimit } from './limit.mjs';

/** What keeps each path, so that nothing is pinned twice. @type {Map<string, Promise<string>>} */
const pinned = new Map();

/** @param {string} path @returns {Promise<string>} what came of it, for the record */
async function start(path) {
  const built = buildLimit('pin_files');
  if ('missing' in built) return `not pinned in the page cache: ${built.missing}`;
  // Its standard input ends with this process, and so does it.
  const child = spawn(built.path, [path], { stdio: ['pipe', 'pipe', 'pipe'] });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    complaint += text;
  });
  const [answer] = await Promise.race([once(child.stdout.setEncoding('utf8'), 'data'), once(child, 'close')]);
  if (typeof answer !== 'string') return `not pinned in the page cache: ${complaint.trim() || 'no answer'}`;
  for (const handle of [child, child.stdin, child.stdout, child.stderr]) /** @type {any} */ (handle).unref();
  return `${(Number(answer) / 2 ** 20).toFixed(0)} MiB pinned in the page cache`;
}

/** Pins a file, or all files below a folder. @param {string} path */
export function pinInPageCache(path) {
  const known = pinned.get(path);
  if (known !== undefined) return known;
  const made = start(path);
  pinned.set(path, made);
  return made;
}
