import { join } from 'node:path';
import { measure } from '../lib/measure.mjs';
import { mounts } from '../lib/mounts.mjs';
import { places } from '../lib/places.mjs';
import { competitorSide, engineSide, fioSide, otherRuntimes, runningNode } from '../lib/sides.mjs';

export const title = 'random 4 KiB writes into the page cache, 32 in flight';

const WORKER = 'random-write.mjs';
const DEPTH = 32;

/** @param {import('../run.mjs').Context} context */
export async function* run(context) {
  const { mounted, absent } = context.quick ? { mounted: [], absent: [] } : await mounts(['xfs']);
  for (const place of [...places(context), ...mounted]) {
    const notes = place.name === 'disk' ? absent : [];
    yield await measure({ ...plan(context, place), notes }, { ...context, roundMs: context.roundMs(300) });
  }
}

/**
 * The file is small enough that the dirty limits of the kernel are not reached.
 * @param {import('../run.mjs').Context} context
 * @param {import('../lib/places.mjs').Place} place
 * @returns {import('../lib/measure.mjs').Plan}
 */
function plan({ backends, streamSize: size }, { name, folder, kind }) {
  const config = { folder, size, depth: DEPTH };
  const file = join(folder, 'random-write-fio');
  return {
    title: `a file of ${size >> 20} MiB on ${name}`,
    unit: { name: 'writes/s', perUnit: 1, cpuName: 'CPU us/write', cpuPerUnit: 1 },
    subjects: backends.map((backend) => engineSide(backend, WORKER, config)),
    competitors: [
      ...[runningNode, ...otherRuntimes].map((key) => competitorSide(key, WORKER, config)),
      fioSide({
        file,
        engine: 'psync',
        pattern: 'randwrite',
        blockSize: 4096,
        depth: 1,
        direct: false,
        size,
        unit: 'reads',
      }),
    ],
    bars: [
      { against: 'node26', metric: 'rate', atLeast: kind === 'xfs' ? 3 : 1.5 },
      { against: 'bun', metric: 'rate', atLeast: kind === 'xfs' ? 1.5 : 1 },
    ],
  };
}
