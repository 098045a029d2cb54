import { measure } from '../lib/measure.mjs';
import { smallFilesPlan } from '../lib/small-files-plan.mjs';

export const title = 'whole small files from the page cache: promises, callbacks, as text, one CPU, one at a time';

const rate = (/** @type {string} */ against, /** @type {number} */ atLeast) =>
  /** @type {const} */ ({ against, metric: 'rate', atLeast });

/** @type {import('../lib/measure.mjs').Bar[]} */
const bars = [rate('node26', 1.5), rate('bun', 1.2), { against: 'bun', metric: 'cpu', atMost: 0.85 }];

/** @type {import('../lib/small-files-plan.mjs').Variant[]} */
const variants = [
  { call: 'readFile', style: 'promises', depth: 64, bars },
  { call: 'readFile', style: 'callbacks', depth: 64, bars },
  { call: 'readFile', style: 'promises', depth: 64, encoding: 'utf8', bars },
  { call: 'readFile', style: 'promises', depth: 64, oneCpu: true, bars: [rate('node26', 1.1), rate('bun', 1)] },
  { call: 'readFile', style: 'promises', depth: 1, bars: [rate('node26', 4)] },
];

/** @param {import('../run.mjs').Context} context */
export async function* run(context) {
  for (const variant of context.smoke ? variants.slice(0, 2) : variants) {
    yield await measure(await smallFilesPlan(context, variant), { ...context, roundMs: context.roundMs(400) });
  }
}
