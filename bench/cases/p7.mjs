import { join } from 'node:path';
import { dataFolder } from '../lib/paths.mjs';
import { measure } from '../lib/measure.mjs';
import { competitorSide, engineSide, fioSide, runningNode } from '../lib/sides.mjs';

export const title = 'WriteStream, 64 KiB chunks: page cache, O_DIRECT into a new file and over an old one';

const KIB = 1024;
const SIZE = 256 * KIB * KIB;
const WORKER = 'stream-write.mjs';
const unit = { name: 'MB/s', perUnit: 1e6, cpuName: 'CPU us/MB', cpuPerUnit: 1e6 };
const target = join(dataFolder, 'written');

/** @param {import('../run.mjs').Context} context */
export async function* run(context) {
  const options = { ...context, roundMs: context.quick ? 300 : 800 };
  for (const plan of [bufferedPlan, newFilePlan, overwritePlan]) yield await measure(plan(context), options);
}

/** @param {{ direct: boolean, overwrite: boolean }} how */
const config = (how) => ({ target, size: SIZE, chunk: 64 * KIB, ...how });

/**
 * fio over one file of the same size, from its start in each round.
 * @param {Pick<import('../lib/fio-side.mjs').FioJob, 'engine' | 'depth' | 'direct' | 'fresh'>} how
 */
function fioWriter(how) {
  const job = { ...how, file: `${target}-fio`, pattern: /** @type {const} */ ('write'), blockSize: 1024 * KIB };
  return fioSide({ ...job, size: SIZE, unit: 'bytes' }, { depthInName: true });
}

/**
 * @param {import('../run.mjs').Context} context
 * @returns {import('../lib/measure.mjs').Plan}
 */
function bufferedPlan({ backends }) {
  const how = config({ direct: false, overwrite: false });
  return {
    title: 'into the page cache, a new file of 256 MiB each time',
    unit,
    subjects: backends.map((backend) => engineSide(backend, WORKER, how)),
    competitors: [
      ...[runningNode, ...['node24', 'node26', 'bun'].filter((key) => key !== runningNode)].map((key) =>
        competitorSide(key, WORKER, how),
      ),
      fioWriter({ engine: 'psync', depth: 1, direct: false, fresh: true }),
    ],
    bars: [{ against: runningNode, metric: 'rate', atLeast: 1.5 }],
    notes: ['fio: 1 MiB writes'],
  };
}

/**
 * @param {import('../run.mjs').Context} context
 * @returns {import('../lib/measure.mjs').Plan}
 */
function newFilePlan({ backends }) {
  const depths = [1, 4, 16];
  return {
    title: 'direct: true, a new file of 256 MiB each time',
    unit,
    subjects: backends.map((backend) => engineSide(backend, WORKER, config({ direct: true, overwrite: false }))),
    competitors: depths.map((depth) => fioWriter({ engine: 'io_uring', depth, direct: true, fresh: true })),
    // Its best depth is the one that is hardest to meet.
    bars: depths.map((depth) => ({ against: `fio-io_uring-${depth}`, metric: 'rate', atLeast: 0.9 })),
    notes: ['fio: 1 MiB writes, fallocate=none'],
  };
}

/**
 * @param {import('../run.mjs').Context} context
 * @returns {import('../lib/measure.mjs').Plan}
 */
function overwritePlan({ backends }) {
  return {
    title: "direct: true, flags 'r+', over a file of 256 MiB",
    unit,
    subjects: backends.map((backend) => engineSide(backend, WORKER, config({ direct: true, overwrite: true }))),
    competitors: [fioWriter({ engine: 'io_uring', depth: 16, direct: true, fresh: false })],
    bars: [{ against: 'fio-io_uring-16', metric: 'rate', atLeast: 0.9 }],
    notes: ['fio: 1 MiB writes, 16 in flight'],
  };
}
