// The same questions that the check asks find(1); with ioengine/fs through the package's own `fs` option.
import path from 'node:path';
import fg from 'fast-glob';
import { QUESTIONS } from '../support/globs.mjs';

export default async function work({ fs, folder, way }) {
  const cwd = path.join(folder, 'tree');
  const given = way === 'option' ? { fs } : {};
  const answers = {};
  for (const { patterns, options } of QUESTIONS) {
    answers[patterns.join()] = (await fg(patterns, { cwd, ...options, ...given })).sort();
  }
  const entries = await fg('**', { cwd, dot: true, stats: true, followSymbolicLinks: false, ...given });
  const streamed = [];
  for await (const entry of fg.stream('**/*.js', { cwd, ...given })) streamed.push(entry);
  return {
    answers,
    sizes: entries.map(({ path: name, stats }) => `${name} ${stats.size} ${(stats.mode & 0o777).toString(8)}`).sort(),
    streamed: streamed.sort(),
    existing: (await fg(['part 0', 'no such', 'empty'], { cwd, onlyFiles: false, ...given })).sort(),
  };
}
