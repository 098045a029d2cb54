// The plans shared by the cases on many small files.
import { buildLimit } from './limit.mjs';
import { pinInPageCache } from './pinned-files.mjs';
import { ProcessSide } from './process-side.mjs';
import { competitorSide, engineSide, otherRuntimes, runningNode } from './sides.mjs';
import { prepareSmallFiles } from './small-files.mjs';

const WORKER = 'small-files.mjs';

/**
 * @param {string} folder
 * @param {{ call: string, files: number, oneCpu?: boolean }} how
 * @returns {import('./sides.mjs').Side | import('./sides.mjs').Absent}
 */
function limit(folder, { call, files, oneCpu }) {
  const names = { key: 'c', label: 'C, plain system calls (limit)' };
  if (call !== 'readFile' && call !== 'stat') return { ...names, absent: `the C program has no ${call}` };
  const built = buildLimit('small_files');
  if ('missing' in built) return { ...names, absent: built.missing };
  return new ProcessSide({
    ...names,
    command: built.path,
    args: [folder, String(files), call],
    leastAmount: 2000,
    oneCpu,
  });
}

/**
 * @typedef {object} Variant
 * @property {'readFile' | 'stat' | 'lstat' | 'access'} call
 * @property {'promises' | 'callbacks'} style
 * @property {number} depth at a time
 * @property {'utf8'} [encoding]
 * @property {boolean} [oneCpu]
 * @property {import('./measure.mjs').Bar[]} bars
 */

/**
 * @param {import('../run.mjs').Context} context
 * @param {Variant} variant
 * @param {string} [parent] another place for the files than the benchmark's own
 * @returns {Promise<import('./measure.mjs').Plan>}
 */
export async function smallFilesPlan({ backends, files, log }, variant, parent) {
  const { call, style, depth, encoding, oneCpu, bars } = variant;
  const folder = prepareSmallFiles(log, parent, files);
  const config = { folder, files, call, style, depth, encoding };
  const competitors = [runningNode, `${runningNode}-pool128`, `${runningNode}-uring`, ...otherRuntimes];
  const name = style === 'promises' ? `promises.${call}` : `fs.${call} with a callback`;
  const extras = [encoding && `'${encoding}'`, oneCpu && 'on one CPU'].filter(Boolean).map((text) => `, ${text}`);
  return {
    title: `${name}${extras.join('')}, ${files} files of 1 to 16 KiB, ${depth} at a time`,
    unit: { name: 'files/s', perUnit: 1, cpuName: 'CPU us/file', cpuPerUnit: 1 },
    subjects: backends.map((backend) => engineSide(backend, WORKER, config, { oneCpu })),
    competitors: [
      ...competitors.map((key) => competitorSide(key, WORKER, config, { oneCpu })),
      limit(folder, { call, files, oneCpu }),
    ],
    bars,
    // Elsewhere the files go with their mount, which has to be free of users then.
    notes: parent === undefined ? [await pinInPageCache(folder)] : [],
  };
}
