import { measure } from '../lib/measure.mjs';
import { competitorSide, engineSide, runningNode } from '../lib/sides.mjs';

export const title = 'memory, descriptors and threads over a 10 GiB stream and over 2,000,000 operations';

const WORKER = 'memory.mjs';
const GROWTH_MIB = 32;

/** @param {import('../run.mjs').Context} context */
export async function* run(context) {
  const { quick, smoke, file } = context;
  const shrink = smoke ? 500 : quick ? 40 : 1;
  const bytes = (10 * 2 ** 30) / shrink;
  const operations = 2_000_000 / shrink;
  const stream = Math.max(2, Math.round(bytes / file.size));
  const rounds = quick ? 1 : 2;
  yield await measure(plan(context, 'stream', stream, `${stream} streams over the file`), {
    ...context,
    rounds,
    roundMs: 1,
  });
  const title = `${operations} reads of 4 KiB, 64 in flight`;
  yield await measure(plan(context, 'operations', operations / 1000, title), { ...context, rounds, roundMs: 1 });
}

/**
 * @param {import('../run.mjs').Context} context
 * @param {'stream' | 'operations'} load
 * @param {number} steps
 * @param {string} title
 * @returns {import('../lib/measure.mjs').Plan}
 */
function plan({ backends, file }, load, steps, title) {
  const config = { load, steps, file: file.path, size: file.size };
  const perUnit = load === 'stream' ? 1e6 : 1;
  return {
    title,
    unit: {
      name: 'MiB of growth',
      perUnit: 1,
      cpuName: load === 'stream' ? 'CPU us/MB' : 'CPU us/read',
      cpuPerUnit: perUnit,
    },
    subjects: backends.map((backend) => engineSide(backend, WORKER, config)),
    competitors: [competitorSide(runningNode, WORKER, config)],
    figure: ({ figure }) => /** @type {number} */ (figure),
    compare: (ours) => ours,
    comparisonName: 'growth of RSS in MiB (of the first side)',
    bars: [{ against: runningNode, metric: 'rate', atMost: GROWTH_MIB }],
    notes: [
      'a side whose descriptors grow during a round has failed, and one with more threads than its pools may have',
    ],
  };
}
