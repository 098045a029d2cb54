// The plan shared by the cases on many small files.
import { buildLimit } from './limit.mjs';
import { ProcessSide } from './process-side.mjs';
import { competitorSide, engineSide, runningNode } from './sides.mjs';
import { FILES, prepareSmallFiles } from './small-files.mjs';

const WORKER = 'small-files.mjs';
const DEPTH = 64;

/**
 * @param {string} folder
 * @param {'readFile' | 'stat'} call
 * @returns {import('./sides.mjs').Side | import('./sides.mjs').Absent}
 */
function limit(folder, call) {
  const names = { key: 'c', label: 'C, plain system calls (limit)' };
  const built = buildLimit('small_files');
  if ('missing' in built) return { ...names, absent: built.missing };
  return new ProcessSide({ ...names, command: built.path, args: [folder, String(FILES), call], leastAmount: 2000 });
}

/**
 * @param {import('../run.mjs').Context} context
 * @param {{ call: 'readFile' | 'stat', bars: import('./measure.mjs').Bar[] }} what
 * @returns {import('./measure.mjs').Plan}
 */
export function smallFilesPlan({ backends, log }, { call, bars }) {
  const folder = prepareSmallFiles(log);
  const config = { folder, call, depth: DEPTH };
  const competitors = [runningNode, `${runningNode}-pool128`, `${runningNode}-uring`];
  competitors.push(...['node24', 'node26', 'bun', 'deno'].filter((key) => key !== runningNode));
  return {
    title: `promises.${call}, ${FILES} files of 1 to 16 KiB, ${DEPTH} at a time`,
    unit: { name: 'files/s', perUnit: 1, cpuName: 'CPU us/file', cpuPerUnit: 1 },
    subjects: backends.map((backend) => engineSide(backend, WORKER, config)),
    competitors: [...competitors.map((key) => competitorSide(key, WORKER, config)), limit(folder, call)],
    bars,
  };
}
