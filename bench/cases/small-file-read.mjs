import { measure } from '../lib/measure.mjs';
import { smallFilesPlan } from '../lib/small-files-plan.mjs';

export const title = 'whole small files from the page cache, promises.readFile, 64 at a time';

/** @type {import('../lib/measure.mjs').Bar[]} */
const bars = [
  { against: 'node20', metric: 'rate', atLeast: 4.5 },
  { against: 'node26', metric: 'rate', atLeast: 1.2 },
  { against: 'bun', metric: 'rate', atLeast: 1 },
  { against: 'bun', metric: 'cpu', atMost: 0.75 },
  { against: 'c', metric: 'rate', atLeast: 0.55 },
];

/** @param {import('../run.mjs').Context} context */
export async function* run(context) {
  const options = { ...context, roundMs: context.quick ? 150 : 400 };
  yield await measure(smallFilesPlan(context, { call: 'readFile', bars }), options);
}
