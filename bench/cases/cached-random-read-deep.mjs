import { measure } from '../lib/measure.mjs';
import { randomReadPlan } from '../lib/random-read-plan.mjs';
import { otherRuntimes, runningNode } from '../lib/sides.mjs';

export const title = 'random 4 KiB reads from the page cache, 32 and 128 in flight, promises and callbacks';

/** @type {import('../lib/measure.mjs').Bar[]} */
const promiseBars = [
  { against: 'node26', metric: 'rate', atLeast: 3, backends: ['uring'] },
  { against: 'bun', metric: 'rate', atLeast: 1.4, backends: ['uring'] },
  { against: 'c', metric: 'rate', atLeast: 0.8, backends: ['uring'] },
  { against: 'node26', metric: 'rate', atLeast: 2.5, backends: ['aio'] },
  { against: 'bun', metric: 'rate', atLeast: 1.15, backends: ['aio'] },
  { against: 'c', metric: 'rate', atLeast: 0.7, backends: ['aio'] },
];

/** @type {import('../lib/measure.mjs').Bar[]} */
const callbackBars = [{ against: 'node26', metric: 'rate', atLeast: 1.5, backends: ['uring', 'aio'] }];

/** @param {import('../run.mjs').Context} context */
export async function* run(context) {
  for (const [style, bars] of /** @type {const} */ ([
    ['promises', promiseBars],
    ['callbacks', callbackBars],
  ])) {
    for (const depth of context.smoke ? [32] : [32, 128]) {
      const plan = randomReadPlan(context, {
        title: `${style}, ${depth} in flight`,
        style,
        depth,
        direct: false,
        competitors: [runningNode, `${runningNode}-pool128`, `${runningNode}-uring`, ...otherRuntimes],
        fio: ['io_uring'],
        bars,
      });
      yield await measure(plan, { ...context, roundMs: context.roundMs(400) });
    }
  }
}
