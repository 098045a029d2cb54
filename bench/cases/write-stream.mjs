import { join } from 'node:path';
import { measure } from '../lib/measure.mjs';
import { dataFolder } from '../lib/paths.mjs';
import { places } from '../lib/places.mjs';
import { competitorSide, copyLimitSide, engineSide, fioSide, runningNode } from '../lib/sides.mjs';

export const title =
  'WriteStream: 64 KiB chunks into the page cache, with O_DIRECT into a new file and over an old one; log lines';

const KIB = 1024;
const WORKER = 'stream-write.mjs';
const unit = { name: 'MB/s', perUnit: 1e6, cpuName: 'CPU us/MB', cpuPerUnit: 1e6 };
const target = join(dataFolder, 'written');

/** @param {import('../run.mjs').Context} context */
export async function* run(context) {
  const options = { ...context, roundMs: context.roundMs(800) };
  for (const place of places(context)) yield await measure(bufferedPlan(context, place), options);
  for (const plan of context.smoke
    ? [newFilePlan]
    : [newFilePlan, overwritePlan, linesPlan('drain'), linesPlan('flood')]) {
    yield await measure(plan(context), options);
  }
}

const nodes = [runningNode, ...['node24', 'node26', 'bun'].filter((key) => key !== runningNode)];

/**
 * Each backend as it is by default, and with so many bytes behind.
 * @param {string[]} backends
 * @param {object} how
 * @param {number} writeBehind
 */
function engineSides(backends, how, writeBehind) {
  return backends.flatMap((backend) => [
    engineSide(backend, WORKER, how),
    engineSide(
      backend,
      WORKER,
      { ...how, writeBehind },
      { key: `ioengine-${backend}-behind`, label: `ioengine ${backend}, writeBehind ${writeBehind / KIB} KiB` },
    ),
  ]);
}

/** @param {{ size: number, direct: boolean, overwrite: boolean, target?: string }} how */
const config = (how) => ({ target, chunk: 64 * KIB, ...how });

/** @param {string} subject @param {number} atLeast */
function bar(subject, atLeast, against = runningNode) {
  return { against, metric: /** @type {const} */ ('rate'), atLeast, subject };
}

/**
 * fio over one file of the same size, from its start in each round.
 * @param {Pick<import('../lib/fio-side.mjs').FioJob, 'engine' | 'depth' | 'direct' | 'fresh'> & { size: number }} how
 */
function fioWriter(how) {
  const job = { ...how, file: `${target}-fio`, pattern: /** @type {const} */ ('write'), blockSize: 1024 * KIB };
  return fioSide({ ...job, unit: 'bytes' }, { depthInName: true });
}

/**
 * @param {import('../run.mjs').Context} context
 * @param {import('../lib/places.mjs').Place} place
 * @returns {import('../lib/measure.mjs').Plan}
 */
function bufferedPlan({ backends, streamSize: size }, { name, folder }) {
  const how = config({ size, direct: false, overwrite: false, target: join(folder, 'written') });
  return {
    title: `into the page cache, a new file of ${size >> 20} MiB on ${name} each time`,
    unit,
    subjects: engineSides(backends, how, 1024 * KIB),
    competitors: [...nodes.map((key) => competitorSide(key, WORKER, how)), copyLimitSide(how)],
    bars: backends.flatMap((backend) => [
      bar(`ioengine-${backend}`, 1.5, 'node26'),
      bar(`ioengine-${backend}-behind`, 1.5, 'node26'),
    ]),
  };
}

/**
 * @param {import('../run.mjs').Context} context
 * @returns {import('../lib/measure.mjs').Plan}
 */
function newFilePlan({ backends, streamSize: size }) {
  const depths = [1, 4, 16];
  return {
    title: `direct: true, a new file of ${size >> 20} MiB each time`,
    unit,
    subjects: engineSides(backends, config({ size, direct: true, overwrite: false }), 4096 * KIB),
    competitors: depths.map((depth) => fioWriter({ size, engine: 'io_uring', depth, direct: true, fresh: true })),
    // Its best depth is the one that is hardest to meet.
    bars: backends.flatMap((backend) =>
      depths.map((depth) => bar(`ioengine-${backend}-behind`, 0.9, `fio-io_uring-${depth}`)),
    ),
    notes: ['fio: 1 MiB writes, fallocate=none'],
  };
}

/**
 * @param {import('../run.mjs').Context} context
 * @returns {import('../lib/measure.mjs').Plan}
 */
function overwritePlan({ backends, streamSize: size }) {
  return {
    title: `direct: true, flags 'r+', over a file of ${size >> 20} MiB`,
    unit,
    subjects: engineSides(backends, config({ size, direct: true, overwrite: true }), 4096 * KIB),
    competitors: [fioWriter({ size, engine: 'io_uring', depth: 16, direct: true, fresh: false })],
    bars: backends.map((backend) => bar(`ioengine-${backend}-behind`, 0.9, 'fio-io_uring-16')),
    notes: ['fio: 1 MiB writes, 16 in flight'],
  };
}

/**
 * A log of 100,000 lines each time.
 * @param {'drain' | 'flood'} lines
 * @returns {(context: import('../run.mjs').Context) => import('../lib/measure.mjs').Plan}
 */
function linesPlan(lines) {
  const LINE = 100;
  const how = { target, size: 100_000 * LINE, chunk: LINE, lines, direct: false, overwrite: false };
  return ({ backends }) => ({
    title: `100,000 lines of 100 bytes, ${lines === 'drain' ? "waiting for 'drain'" : 'waiting for nothing'}`,
    unit,
    subjects: engineSides(backends, how, 1024 * KIB),
    competitors: nodes.map((key) => competitorSide(key, WORKER, how)),
    bars: backends.flatMap((backend) => [
      bar(`ioengine-${backend}`, 1),
      bar(`ioengine-${backend}-behind`, lines === 'drain' ? 1.5 : 1),
    ]),
    notes: [],
  });
}
