import { measure } from '../lib/measure.mjs';
import { smallFilesPlan } from '../lib/small-files-plan.mjs';

export const title =
  'attributes from the kernel’s caches: stat, lstat, access; promises, callbacks, one CPU, one at a time';

const rate = (/** @type {string} */ against, /** @type {number} */ atLeast) =>
  /** @type {const} */ ({ against, metric: 'rate', atLeast });

/** @type {import('../lib/measure.mjs').Bar[]} */
const bars = [rate('node26', 3), rate('bun', 1.2), { against: 'bun', metric: 'cpu', atMost: 0.9 }];

/** @type {import('../lib/small-files-plan.mjs').Variant[]} */
const variants = [
  { call: 'stat', style: 'promises', depth: 64, bars },
  { call: 'stat', style: 'callbacks', depth: 64, bars },
  { call: 'lstat', style: 'promises', depth: 64, bars },
  { call: 'lstat', style: 'callbacks', depth: 64, bars },
  { call: 'access', style: 'promises', depth: 64, bars },
  { call: 'access', style: 'callbacks', depth: 64, bars },
  { call: 'stat', style: 'promises', depth: 64, oneCpu: true, bars: [rate('node26', 2), rate('bun', 1)] },
  { call: 'stat', style: 'promises', depth: 1, bars: [] },
];

/** @param {import('../run.mjs').Context} context */
export async function* run(context) {
  for (const variant of context.smoke ? variants.slice(0, 2) : variants) {
    yield await measure(await smallFilesPlan(context, variant), { ...context, roundMs: context.roundMs(400) });
  }
}
