import { measure } from '../lib/measure.mjs';
import { randomReadPlan } from '../lib/random-read-plan.mjs';
import { runningNode } from '../lib/sides.mjs';

export const title = 'random 4 KiB reads with O_DIRECT, 128 in flight';

/** @type {import('../lib/measure.mjs').Bar[]} */
const bars = [
  { against: 'fio-io_uring', metric: 'rate', atLeast: 0.95, backends: ['uring'] },
  { against: 'fio-libaio', metric: 'rate', atLeast: 0.95, backends: ['aio'] },
  { against: 'node26', metric: 'cpu', atMost: 0.2, backends: ['uring', 'aio'] },
];

/** @param {import('../run.mjs').Context} context */
export async function* run(context) {
  const plan = randomReadPlan(context, {
    title: 'O_DIRECT, promises, 128 in flight, page-aligned buffers on every side',
    style: 'promises',
    depth: 128,
    direct: true,
    competitors: [runningNode, `${runningNode}-pool128`, `${runningNode}-uring`],
    fio: ['psync', 'libaio', 'io_uring'],
    bars,
  });
  yield await measure(plan, { ...context, roundMs: context.roundMs(800) });
}
