import fs from 'node:fs';
import { join } from 'node:path';
import { judge, measure } from '../lib/measure.mjs';
import { dataFolder } from '../lib/paths.mjs';
import { competitorSide, engineSide, runningNode } from '../lib/sides.mjs';

export const title = 'growth: 1 to 4,096 reads in flight, one and two Workers, files of 1 KiB to 1 GiB';

const OF_PEAK = 0.9;
const KIB = 1024;

/**
 * @typedef {object} Growth what one measurement lets grow
 * @property {string} title
 * @property {string} worker
 * @property {import('../lib/measure.mjs').Plan['unit']} unit
 * @property {{ at: number, name: string, config: object }[]} steps smallest first
 */

const reads = { name: 'reads/s', perUnit: 1, cpuName: 'CPU us/read', cpuPerUnit: 1 };
const bytes = { name: 'MB/s', perUnit: 1e6, cpuName: 'CPU us/MB', cpuPerUnit: 1e6 };

/** @param {import('../run.mjs').Context} context */
export async function* run(context) {
  for (const growth of [depths(context), workers(context), sizes(context)]) {
    const result = await measure(plan(context, growth), { ...context, roundMs: context.roundMs(300) });
    for (const backend of context.backends) result.comparisons.push(...sharesOfPeak(result, `ioengine-${backend}@`));
    yield result;
  }
}

/** @param {import('../run.mjs').Context} context @returns {Growth} */
function depths({ file, quick }) {
  const config = { file: file.path, size: file.size, style: 'promises', direct: false };
  return {
    title: 'promises',
    worker: 'random-read.mjs',
    unit: reads,
    steps: (quick ? [1, 64, 4096] : [1, 8, 64, 512, 4096]).map((depth) => ({
      at: depth,
      name: `${depth} in flight`,
      config: { ...config, depth },
    })),
  };
}

/** @param {import('../run.mjs').Context} context @returns {Growth} */
function workers({ file }) {
  return {
    title: 'cached 4 KiB reads in Workers, 32 in flight in each',
    worker: 'worker-reads.mjs',
    unit: reads,
    steps: [1, 2].map((count) => ({
      at: count,
      name: count === 1 ? '1 Worker' : `${count} Workers`,
      config: { file: file.path, size: file.size, workers: count },
    })),
  };
}

/** @param {import('../run.mjs').Context} context @returns {Growth} */
function sizes({ file, quick }) {
  const all = [KIB, 16 * KIB, 256 * KIB, 4096 * KIB, 65536 * KIB, 1048576 * KIB];
  const wanted = all.filter((size) => size <= Math.min(file.size, quick ? 4096 * KIB : file.size));
  return {
    title: 'readFile of one cached file',
    worker: 'whole-file.mjs',
    unit: bytes,
    steps: wanted.map((size) => ({
      at: size,
      name: size < KIB * KIB ? `${size / KIB} KiB` : `${size / KIB / KIB} MiB`,
      config: { file: fileOfSize(file.path, size), size },
    })),
  };
}

/** The first bytes of the data file as a file of their own. @param {string} source @param {number} size */
function fileOfSize(source, size) {
  if (fs.statSync(source).size === size) return source;
  const path = join(dataFolder, `first-${size}`);
  const content = Buffer.alloc(size);
  const fd = fs.openSync(source, 'r');
  fs.readSync(fd, content, 0, size, 0);
  fs.closeSync(fd);
  fs.writeFileSync(path, content);
  return path;
}

/** @param {string} key */
const stepOf = (key) => key.split('@')[1]?.split('-')[0];

/**
 * @param {import('../run.mjs').Context} context
 * @param {Growth} growth
 * @returns {import('../lib/measure.mjs').Plan}
 */
function plan({ backends }, { title, worker, unit, steps }) {
  return {
    title,
    unit,
    subjects: backends.flatMap((backend) =>
      steps.map(({ at, name, config }) =>
        engineSide(backend, worker, config, {
          key: `ioengine-${backend}@${at}`,
          label: `ioengine ${backend}, ${name}`,
        }),
      ),
    ),
    competitors: steps.map(({ at, name, config }) =>
      competitorSide(runningNode, worker, config, { key: `${runningNode}@${at}`, label: `${runningNode}, ${name}` }),
    ),
    isPeer: (subject, against) => stepOf(subject) === stepOf(against),
    bars: steps.map(({ at }) => ({
      against: `${runningNode}@${at}`,
      metric: /** @type {const} */ ('rate'),
      atLeast: 1,
    })),
  };
}

/**
 * Each step beside the best of the same side.
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
      // At the small end nothing overlaps: the bar is for growth, not for the climb to the peak.
      const isBeyond = Number(stepOf(side.key)) > Number(stepOf(peak.key));
      return {
        subject: side.key,
        against: peak.key,
        metric: 'rate',
        value,
        ...judge(share, isBeyond ? { atLeast: OF_PEAK } : {}),
      };
    });
}
