// Makes the sides of a measurement. A side that cannot be there is an `Absent` with the reason, so that a table never
// lacks a row silently.
import { join } from 'node:path';
import { competitorBinary } from './competitors.mjs';
import { FioSide, fioVersion } from './fio-side.mjs';
import { buildLimit } from './limit.mjs';
import { workersFolder } from './paths.mjs';
import { ProcessSide } from './process-side.mjs';

/** @typedef {ProcessSide | FioSide} Side */
/** @typedef {{ key?: string, label?: string, oneCpu?: boolean, build?: string }} How */
/** @typedef {{ key: string, label: string, absent: string }} Absent */

/** @type {Record<string, number>} in what `run` of the worker counts: reads, files; elsewhere one pass over a file */
const leastAmounts = {
  'random-read.mjs': 2000,
  'small-files.mjs': 2000,
  'path-changes.mjs': 512,
  'random-write.mjs': 512,
  'worker-reads.mjs': 2000,
};

const majorVersion = process.versions.node.split('.')[0];

/** The key of node:fs in the Node that runs the benchmark (`node20` in Node 20). */
export const runningNode = `node${majorVersion}`;

/** The other runtimes that a case is measured against, beside the variants of the running Node. */
export const otherRuntimes = ['node24', 'node26', 'bun', 'deno'].filter((key) => key !== runningNode);

/**
 * node:fs variants of the running Node: what a user could do without us.
 *
 * @type {Record<string, { label: string, env: Record<string, string> }>}
 */
const nodeVariants = {
  [runningNode]: { label: `node ${majorVersion}`, env: { UV_THREADPOOL_SIZE: '4' } },
  [`${runningNode}-pool128`]: {
    label: `node ${majorVersion}, UV_THREADPOOL_SIZE=128`,
    env: { UV_THREADPOOL_SIZE: '128' },
  },
  [`${runningNode}-uring`]: { label: `node ${majorVersion}, UV_USE_IO_URING=1`, env: { UV_USE_IO_URING: '1' } },
};

/** @type {Record<string, { label: string, arguments: string[] }>} */
const runtimes = {
  node24: { label: 'node 24', arguments: [] },
  node26: { label: 'node 26', arguments: [] },
  bun: { label: 'Bun', arguments: ['run'] },
  deno: { label: 'Deno', arguments: ['run', '--allow-all', '--no-config', '--no-lock', '--quiet'] },
};

/**
 * The engine on one backend. Its process runs no thread pool of libuv's beyond the default.
 * @param {string} backend
 * @param {string} worker file name in bench/workers
 * @param {object} config
 * @param {How} [how] `build`: root of another build of the engine
 * @returns {ProcessSide}
 */
export function engineSide(backend, worker, config, how = {}) {
  const key = how.key ?? `ioengine-${backend}`;
  const label = how.label ?? `ioengine ${backend}`;
  return new ProcessSide({
    key,
    label,
    oneCpu: how.oneCpu,
    command: process.execPath,
    args: [join(workersFolder, worker), JSON.stringify({ ...config, subject: 'ioengine' })],
    env: { IOENGINE_BACKEND: backend, ...(how.build ? { BENCH_ENGINE: how.build } : {}) },
    leastAmount: leastAmounts[worker] ?? 1,
    ofBuild: (build) =>
      engineSide(backend, worker, config, { ...how, build, key: `${key}-other`, label: `${label}, other build` }),
  });
}

/**
 * A competitor by key: a variant of the running Node, another Node, Bun, Deno.
 * @param {string} key
 * @param {string} worker
 * @param {object} config
 * @param {How} [how]
 * @returns {Side | Absent}
 */
export function competitorSide(key, worker, config, how = {}) {
  const args = [join(workersFolder, worker), JSON.stringify({ ...config, subject: 'node' })];
  const variant = nodeVariants[key];
  const leastAmount = leastAmounts[worker] ?? 1;
  const { oneCpu } = how;
  if (variant) {
    return new ProcessSide({
      key: how.key ?? key,
      label: how.label ?? variant.label,
      command: process.execPath,
      args,
      env: variant.env,
      leastAmount,
      oneCpu,
    });
  }
  const { label, arguments: before } = runtimes[key];
  const command = competitorBinary(/** @type {import('./competitors.mjs').CompetitorKey} */ (key));
  if (!command) return { key, label, absent: 'not installed (npm run bench -- --competitors)' };
  return new ProcessSide({ key, label, command, args: [...before, ...args], leastAmount, oneCpu });
}

/**
 * @param {import('./fio-side.mjs').FioJob} job
 * @param {{ depthInName?: boolean }} [options] for several depths in one measurement
 * @returns {Side | Absent}
 */
export function fioSide(job, { depthInName = false } = {}) {
  const key = `fio-${job.engine}${depthInName ? `-${job.depth}` : ''}`;
  const label = `fio ${job.engine}${depthInName ? `, ${job.depth} in flight` : ''}`;
  return fioVersion() ? new FioSide(key, label, job) : { key, label, absent: 'fio is not installed' };
}

/**
 * One C thread that reads and writes: what a stream into a file cannot beat without running ahead.
 * @param {{ source?: string, target: string, size: number, chunk: number }} config
 * @returns {Side | Absent}
 */
export function copyLimitSide({ source = '-', target, size, chunk }) {
  const names = { key: 'c', label: 'C, read and write (limit)' };
  const built = buildLimit('copy_file');
  if ('missing' in built) return { ...names, absent: built.missing };
  return new ProcessSide({
    ...names,
    command: built.path,
    args: [source, target, String(size), String(chunk)],
    leastAmount: 1,
  });
}

/**
 * @param {{ file: string, depth: number, direct: boolean }} config
 * @returns {Side | Absent}
 */
export function limitSide({ file, depth, direct }) {
  const names = { key: 'c', label: 'C on liburing (limit)' };
  const built = buildLimit();
  if ('missing' in built) return { ...names, absent: built.missing };
  return new ProcessSide({
    ...names,
    command: built.path,
    args: [file, String(depth), direct ? '1' : '0'],
    leastAmount: 2000,
  });
}
