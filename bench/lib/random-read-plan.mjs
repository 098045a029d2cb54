// The plan shared by the cases that read random 4 KiB blocks.
import { residency } from './data-file.mjs';
import { competitorSide, engineSide, fioSide, limitSide } from './sides.mjs';

const WORKER = 'random-read.mjs';

export const readsUnit = { name: 'reads/s', perUnit: 1, cpuName: 'CPU us/read', cpuPerUnit: 1 };

/**
 * @param {import('../run.mjs').Context} context
 * @param {object} shape
 * @param {string} shape.title
 * @param {'promises' | 'callbacks'} shape.style
 * @param {number} shape.depth
 * @param {boolean} shape.direct
 * @param {string[]} shape.competitors keys for competitorSide()
 * @param {('psync' | 'libaio' | 'io_uring')[]} shape.fio
 * @param {import('./measure.mjs').Bar[]} shape.bars
 * @returns {import('./measure.mjs').Plan}
 */
export function randomReadPlan(context, { title, style, depth, direct, competitors, fio, bars }) {
  const { path: file, size } = context.file;
  const config = { file, size, style, depth, direct };
  return {
    title,
    unit: readsUnit,
    subjects: context.backends.map((backend) => engineSide(backend, WORKER, config)),
    competitors: [
      ...competitors.map((key) => competitorSide(key, WORKER, config)),
      ...fio.map((engine) =>
        fioSide({ file, engine, pattern: 'randread', blockSize: 4096, depth, direct, unit: 'reads' }),
      ),
      limitSide({ file, depth, direct }),
    ],
    bars,
    notes: direct ? [] : [residency(context.file)],
  };
}
