import { judge, measure } from '../lib/measure.mjs';
import { competitorSide, engineSide, runningNode } from '../lib/sides.mjs';

export const title = 'growth: cached 4 KiB reads with 1 to 4,096 in flight';

const WORKER = 'random-read.mjs';
const OF_PEAK = 0.9;
const depths = [1, 8, 64, 512, 4096];

/** @param {string} key */
const depthOf = (key) => key.split('@')[1]?.split('-')[0];

/** @param {import('../run.mjs').Context} context */
export async function* run(context) {
  const result = await measure(plan(context), { ...context, roundMs: context.roundMs(300) });
  for (const backend of context.backends) result.comparisons.push(...sharesOfPeak(result, `ioengine-${backend}@`));
  yield result;
}

/**
 * @param {import('../run.mjs').Context} context
 * @returns {import('../lib/measure.mjs').Plan}
 */
function plan({ backends, file }) {
  const config = (/** @type {number} */ depth) => ({
    file: file.path,
    size: file.size,
    style: 'promises',
    depth,
    direct: false,
  });
  return {
    title: 'promises',
    unit: { name: 'reads/s', perUnit: 1, cpuName: 'CPU us/read', cpuPerUnit: 1 },
    subjects: backends.flatMap((backend) =>
      depths.map((depth) =>
        engineSide(backend, WORKER, config(depth), {
          key: `ioengine-${backend}@${depth}`,
          label: `ioengine ${backend}, ${depth} in flight`,
        }),
      ),
    ),
    competitors: depths.map((depth) =>
      competitorSide(runningNode, WORKER, config(depth), {
        key: `${runningNode}@${depth}`,
        label: `${runningNode}, ${depth} in flight`,
      }),
    ),
    isPeer: (subject, against) => depthOf(subject) === depthOf(against),
    bars: depths.map((depth) => ({
      against: `${runningNode}@${depth}`,
      metric: /** @type {const} */ ('rate'),
      atLeast: 1,
    })),
  };
}

/**
 * Each depth beside the best of the same side.
 * @param {Awaited<ReturnType<typeof measure>>} result @param {string} prefix
 */
function sharesOfPeak({ sides }, prefix) {
  const own = sides.filter(({ key }) => key.startsWith(prefix) && !key.endsWith('-other'));
  if (own.length === 0) return [];
  const peak = own.reduce((best, side) => (side.rate.median > best.rate.median ? side : best));
  return own
    .filter((side) => side !== peak)
    .map((side) => {
      const share = side.rate.median / peak.rate.median;
      const value = { median: share, min: share, max: share };
      // With 1 in flight nothing overlaps: the bar is for growth, not for the climb to the peak.
      const isBeyond = Number(depthOf(side.key)) > Number(depthOf(peak.key));
      return {
        subject: side.key,
        against: peak.key,
        metric: 'rate',
        value,
        ...judge(share, isBeyond ? { atLeast: OF_PEAK } : {}),
      };
    });
}
