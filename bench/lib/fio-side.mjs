// fio as one side of a measurement: one run of it per round. It cannot follow our positions or verify our data; it
// draws its own uniformly random positions in the same file.
import { execFile, execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { promisify } from 'node:util';
import { cleanEnvironment } from './environment.mjs';

const run = promisify(execFile);

export function fioVersion() {
  try {
    return execFileSync('fio', ['--version'], { encoding: 'utf8' }).trim();
  } catch {
    return undefined;
  }
}

/**
 * @typedef {object} FioJob
 * @property {string} file
 * @property {'psync' | 'libaio' | 'io_uring'} engine
 * @property {'randread' | 'read' | 'write' | 'randwrite'} pattern
 * @property {number} blockSize
 * @property {number} depth
 * @property {boolean} direct
 * @property {'reads' | 'bytes'} unit
 * @property {number} [size] of a file to write: once from start to end in each round
 * @property {boolean} [fresh] it is made anew in each round
 */

export class FioSide {
  #roundMs = 0;

  /**
   * @param {string} key
   * @param {string} label
   * @param {FioJob} job
   */
  constructor(key, label, job) {
    this.key = key;
    this.label = label;
    this.job = job;
    this.facts = { runtime: fioVersion() };
  }

  /** @param {{ roundMs: number, seed: number }} plan */
  async start({ roundMs, seed }) {
    this.#roundMs = roundMs;
    await this.round(seed);
  }

  /**
   * @param {number} seed
   * @returns {Promise<import('./process-side.mjs').Round>}
   */
  async round(seed) {
    const { file, fresh, pattern, unit } = this.job;
    if (fresh) fs.rmSync(file, { force: true });
    const { stdout } = await run('fio', this.#arguments(seed), { env: cleanEnvironment() });
    const job = JSON.parse(stdout.slice(stdout.indexOf('{'))).jobs[0];
    if (job.error !== 0) throw new Error(`fio: error ${job.error}`);
    const side = pattern.endsWith('write') ? job.write : job.read;
    const work = unit === 'reads' ? side.total_ios : side.io_bytes;
    const cpuShare = (job.usr_cpu + job.sys_cpu) / 100;
    return { work, wall_ns: side.runtime * 1e6, cpu_us: cpuShare * job.job_runtime * 1e3 };
  }

  /** @param {number} seed */
  #arguments(seed) {
    const { file, engine, pattern, blockSize, depth, direct, size } = this.job;
    const work = pattern.endsWith('write')
      ? [`--size=${size}`, '--fallocate=none', '--overwrite=0']
      : ['--readonly', '--norandommap', '--time_based', `--runtime=${Math.round(this.#roundMs)}ms`];
    return [
      '--name=side',
      '--output-format=json',
      `--filename=${file}`,
      `--ioengine=${engine}`,
      `--rw=${pattern}`,
      `--bs=${blockSize}`,
      `--iodepth=${depth}`,
      `--direct=${direct ? 1 : 0}`,
      '--invalidate=0', // fio would drop the file from the page cache, for itself and for all other sides
      `--randseed=${seed}`,
      '--gtod_reduce=1', // no latency statistics: fio at its fastest
      ...work,
    ];
  }

  async stop() {
    if (this.job.pattern.endsWith('write')) fs.rmSync(this.job.file, { force: true });
  }
}
