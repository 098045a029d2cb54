import { measure } from '../lib/measure.mjs';
import { smallFilesPlan } from '../lib/small-files-plan.mjs';

export const title = 'attributes from the kernel’s caches, promises.stat, 64 at a time';

/** @type {import('../lib/measure.mjs').Bar[]} */
const bars = [
  { against: 'node20', metric: 'rate', atLeast: 7 },
  { against: 'bun', metric: 'rate', atLeast: 1.2 },
];

/** @param {import('../run.mjs').Context} context */
export async function* run(context) {
  const options = { ...context, roundMs: context.quick ? 150 : 400 };
  yield await measure(smallFilesPlan(context, { call: 'stat', bars }), options);
}
