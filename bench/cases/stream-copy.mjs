import { join } from 'node:path';
import { residency } from '../lib/data-file.mjs';
import { measure } from '../lib/measure.mjs';
import { places } from '../lib/places.mjs';
import { competitorSide, copyLimitSide, engineSide, runningNode } from '../lib/sides.mjs';

export const title = 'pipeline(createReadStream, createWriteStream): a file in the page cache, 64 KiB chunks';

const KIB = 1024;
const WORKER = 'stream-write.mjs';
const unit = { name: 'MB/s', perUnit: 1e6, cpuName: 'CPU us/MB', cpuPerUnit: 1e6 };

/** @param {import('../run.mjs').Context} context */
export async function* run(context) {
  for (const place of places(context))
    yield await measure(plan(context, place), { ...context, roundMs: context.roundMs(800) });
}

/**
 * Small enough that the dirty limits of the kernel are not reached within a round.
 * @param {import('../run.mjs').Context} context
 * @param {import('../lib/places.mjs').Place} place
 * @returns {import('../lib/measure.mjs').Plan}
 */
function plan({ file, backends, streamSize: size }, { name, folder }) {
  const config = {
    source: file.path,
    target: join(folder, 'copied'),
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
    title: `a new file of ${size >> 20} MiB on ${name} each time`,
    unit,
    subjects: [
      ...backends.map((backend) => engineSide(backend, WORKER, config)),
      ...(name === 'disk' ? backends.map(direct) : []),
    ],
    competitors: [
      ...[runningNode, ...['node24', 'node26', 'bun'].filter((key) => key !== runningNode)].map((key) =>
        competitorSide(key, WORKER, config),
      ),
      copyLimitSide(config),
    ],
    bars: backends.flatMap((backend) => {
      const bar = { metric: /** @type {const} */ ('rate'), subject: `ioengine-${backend}` };
      return [
        { ...bar, against: 'node26', atLeast: 2 },
        { ...bar, against: 'c', atLeast: 0.7 },
      ];
    }),
    notes: [
      residency(file),
      ...(name === 'disk'
        ? ['direct: both streams past the page cache, so a device is read that the others do not wait for']
        : []),
    ],
  };
}
