import { measure } from '../lib/measure.mjs';
import { competitorSide, engineSide, runningNode } from '../lib/sides.mjs';
import { prepareSmallFiles } from '../lib/small-files.mjs';

export const title = 'delay of the event loop under load, p99';

const WORKER = 'event-loop-delay.mjs';
const MIB = 1 << 20;

const loads = {
  'big-reads': '64 cached reads of 16 MiB at once',
  'files-at-once': '10,000 readFile at once',
  endless: 'an endless loop of cached reads',
  direct: '64 reads past the page cache at once',
};

/** @param {import('../run.mjs').Context} context */
export async function* run(context) {
  // A round is as long as the worker is told: one unit of work.
  for (const [load, text] of Object.entries(loads))
    yield await measure(plan(context, load, text), { ...context, roundMs: 1 });
}

/**
 * @param {import('../run.mjs').Context} context
 * @param {string} load
 * @param {string} text
 * @returns {import('../lib/measure.mjs').Plan}
 */
function plan({ backends, file, files, quick, smoke, log }, load, text) {
  const folder = prepareSmallFiles(log, undefined, files);
  const config = {
    load,
    file: file.path,
    size: file.size,
    folder,
    files,
    bigSize: smoke ? MIB : 16 * MIB,
    atOnce: smoke ? 100 : 10_000,
    ms: smoke ? 20 : quick ? 150 : 1500,
  };
  return {
    title: smoke ? `${text} (less of it)` : text,
    unit: { name: 'ms late, p99', perUnit: 1, cpuName: 'CPU us/MB', cpuPerUnit: 1e6 },
    subjects: backends.map((backend) => engineSide(backend, WORKER, config)),
    competitors: [competitorSide(runningNode, WORKER, config)],
    figure: ({ figure }) => /** @type {number} */ (figure),
    compare: (ours, theirs) => ours / Math.max(1.1 * theirs, theirs + 1),
    comparisonName: 'share of what is allowed: 1.1 times the other, or 1 ms more',
    bars: [{ against: runningNode, metric: 'rate', atMost: 1 }],
  };
}
