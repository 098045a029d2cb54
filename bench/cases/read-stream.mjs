import { residency } from '../lib/data-file.mjs';
import { measure } from '../lib/measure.mjs';
import { competitorSide, engineSide, fioSide, otherRuntimes, runningNode } from '../lib/sides.mjs';

export const title = 'ReadStream over 1 GiB: from the page cache, and with O_DIRECT';

const KIB = 1024;
const WORKER = 'stream-read.mjs';
const unit = { name: 'MB/s', perUnit: 1e6, cpuName: 'CPU us/MB', cpuPerUnit: 1e6 };

/** @type {import('../lib/measure.mjs').Bar[]} */
const cachedBars = [
  { against: 'node26', metric: 'rate', atLeast: 3, backends: ['uring', 'aio'] },
  { against: 'bun', metric: 'rate', atLeast: 2, backends: ['uring', 'aio'] },
];

/** @param {import('../run.mjs').Context} context */
export async function* run(context) {
  const options = { ...context, roundMs: context.roundMs(800) };
  yield await measure(cachedPlan(context), options);
  yield await measure(directPlan(context), options);
}

/**
 * @param {import('../run.mjs').Context} context
 * @returns {import('../lib/measure.mjs').Plan}
 */
function cachedPlan({ file, backends }) {
  const config = { file: file.path, size: file.size, chunk: 64 * KIB, direct: false };
  return {
    title: 'from the page cache, highWaterMark 64 KiB',
    unit,
    subjects: backends.map((backend) => engineSide(backend, WORKER, config)),
    competitors: [...[runningNode, `${runningNode}-uring`], ...otherRuntimes].map((key) =>
      competitorSide(key, WORKER, config),
    ),
    bars: cachedBars,
    notes: [residency(file)],
  };
}

/**
 * @param {import('../run.mjs').Context} context
 * @returns {import('../lib/measure.mjs').Plan}
 */
function directPlan({ file, backends }) {
  const sizes = [64 * KIB, 1024 * KIB];
  const job = {
    file: file.path,
    pattern: /** @type {const} */ ('read'),
    blockSize: 1024 * KIB,
    depth: 16,
    direct: true,
  };
  return {
    title: 'direct: true, so never from the page cache',
    unit,
    subjects: backends.flatMap((backend) =>
      sizes.map((chunk) =>
        engineSide(
          backend,
          WORKER,
          { file: file.path, size: file.size, chunk, direct: true },
          { key: `ioengine-${backend}-${chunk / KIB}k`, label: `ioengine ${backend}, ${chunk / KIB} KiB` },
        ),
      ),
    ),
    competitors: [
      fioSide({ ...job, engine: 'io_uring', unit: 'bytes' }),
      fioSide({ ...job, engine: 'libaio', unit: 'bytes' }),
    ],
    // The bar is for the stream as the table of bars has it: 64 KiB. The bigger chunk is there to compare with.
    bars: backends.flatMap((backend) => {
      const bar = { metric: /** @type {const} */ ('rate'), atLeast: 0.95, subject: `ioengine-${backend}-64k` };
      return [
        { ...bar, against: 'fio-io_uring', backends: ['uring'] },
        { ...bar, against: 'fio-libaio', backends: ['aio'] },
      ];
    }),
    notes: ['fio: 1 MiB reads, 16 in flight'],
  };
}
