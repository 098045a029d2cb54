import { measure } from '../lib/measure.mjs';
import { randomReadPlan } from '../lib/random-read-plan.mjs';
import { otherRuntimes, runningNode } from '../lib/sides.mjs';

export const title = 'random 4 KiB reads from the page cache, FileHandle.read, 1 in flight';

/** @type {import('../lib/measure.mjs').Bar[]} */
const bars = [
  { against: 'node24', metric: 'rate', atLeast: 12, backends: ['uring', 'aio'] },
  { against: 'node26', metric: 'rate', atLeast: 12, backends: ['uring', 'aio'] },
  { against: 'c', metric: 'rate', atLeast: 0.75, backends: ['uring', 'aio'] },
];

/** @param {import('../run.mjs').Context} context */
export async function* run(context) {
  const plan = randomReadPlan(context, {
    title: 'promises, 1 in flight',
    style: 'promises',
    depth: 1,
    direct: false,
    competitors: [runningNode, `${runningNode}-pool128`, `${runningNode}-uring`, ...otherRuntimes],
    fio: ['psync', 'io_uring'],
    bars,
  });
  yield await measure(plan, { ...context, roundMs: context.roundMs(400) });
}
