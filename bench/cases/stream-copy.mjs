import { join } from 'node:path';
import { residency } from '../lib/data-file.mjs';
import { measure } from '../lib/measure.mjs';
import { dataFolder } from '../lib/paths.mjs';
import { competitorSide, engineSide, runningNode } from '../lib/sides.mjs';

export const title = 'pipeline(createReadStream, createWriteStream): a file in the page cache, 64 KiB chunks';

const KIB = 1024;
const WORKER = 'stream-write.mjs';
const unit = { name: 'MB/s', perUnit: 1e6, cpuName: 'CPU us/MB', cpuPerUnit: 1e6 };

/** @param {import('../run.mjs').Context} context */
export async function* run(context) {
  yield await measure(plan(context), { ...context, roundMs: context.roundMs(800) });
}

/**
 * @param {import('../run.mjs').Context} context
 * @returns {import('../lib/measure.mjs').Plan}
 */
function plan({ file, backends, streamSize: size }) {
  const config = {
    source: file.path,
    target: join(dataFolder, 'copied'),
    size,
    chunk: 64 * KIB,
    direct: false,
    overwrite: false,
  };
  const direct = (/** @type {string} */ backend) =>
    engineSide(
      backend,
      WORKER,
      { ...config, direct: true },
      {
        key: `ioengine-${backend}-direct`,
        label: `ioengine ${backend}, direct`,
      },
    );
  return {
    title: `a new file of ${size >> 20} MiB each time`,
    unit,
    subjects: [...backends.map((backend) => engineSide(backend, WORKER, config)), ...backends.map(direct)],
    competitors: [runningNode, ...['node24', 'node26', 'bun'].filter((key) => key !== runningNode)].map((key) =>
      competitorSide(key, WORKER, config),
    ),
    bars: backends.map((backend) => ({
      against: runningNode,
      metric: /** @type {const} */ ('rate'),
      atLeast: 3,
      subject: `ioengine-${backend}`,
    })),
    notes: [
      residency(file),
      'direct: both streams past the page cache, so a device is read that the others do not wait for',
    ],
  };
}
