import { openFuseFile } from '../../compat-tests/helpers/slow-disk.mjs';
import { measure } from '../lib/measure.mjs';
import { mounts } from '../lib/mounts.mjs';
import { competitorSide, engineSide, runningNode } from '../lib/sides.mjs';
import { smallFilesPlan } from '../lib/small-files-plan.mjs';

export const title = 'file systems: small files and changes of paths on tmpfs, overlayfs and xfs, reads on FUSE';

const DEPTH = 64;
const FILES = 2048;
const FILES_FEW = 256;
const calls = /** @type {const} */ (['writeFile', 'unlink', 'rename', 'mkdir', 'readdir', 'open']);

/** @type {import('../lib/measure.mjs').Bar[]} */
const bars = [{ against: runningNode, metric: 'rate', atLeast: 1 }];

/** @param {import('../run.mjs').Context} context */
export async function* run(context) {
  const options = { ...context, competitors: [runningNode], roundMs: context.roundMs(200) };
  const files = context.smoke ? FILES_FEW : Math.min(context.files, FILES);
  const { mounted, absent } = await mounts(context.quick ? ['overlayfs'] : ['tmpfs', 'overlayfs', 'xfs']);
  for (const { name, folder } of mounted) {
    for (const call of /** @type {const} */ (['readFile', 'stat'])) {
      const plan = await smallFilesPlan({ ...context, files }, { call, style: 'promises', depth: DEPTH, bars }, folder);
      yield await measure({ ...plan, title: `${name}: ${plan.title}` }, options);
    }
    for (const call of context.quick ? calls.slice(0, 2) : calls)
      yield await measure(pathPlan(context, name, folder, call), options);
  }
  yield* onFuse(context, options, absent);
}

/**
 * @param {import('../run.mjs').Context} context
 * @param {string} name
 * @param {string} folder
 * @param {string} call
 * @returns {import('../lib/measure.mjs').Plan}
 */
function pathPlan({ backends }, name, folder, call) {
  const config = { folder, call, depth: DEPTH };
  const worker = 'path-changes.mjs';
  return {
    title: `${name}: promises.${call}${call === 'open' ? ' + close' : ''}, ${DEPTH} at a time`,
    unit: { name: 'calls/s', perUnit: 1, cpuName: 'CPU us/call', cpuPerUnit: 1 },
    subjects: backends.map((backend) => engineSide(backend, worker, config)),
    competitors: [competitorSide(runningNode, worker, config)],
    bars,
  };
}

/**
 * A server in user space, which the kernel asks for every page that it does not have.
 * @param {import('../run.mjs').Context} context
 * @param {Parameters<typeof measure>[1]} options
 * @param {string[]} absent
 */
async function* onFuse({ backends, file }, options, absent) {
  const served = await openFuseFile(file);
  const notes = served.skipped ? [...absent, `not measured, FUSE: ${served.skipped}`] : absent;
  if (served.skipped) {
    yield { title: 'FUSE', unit: '', cpuUnit: '', sides: [], comparisons: [], failed: [], absent: [], notes };
    return;
  }
  const worker = 'random-read.mjs';
  try {
    for (const depth of [1, DEPTH]) {
      const config = { file: served.path, size: file.size, style: 'promises', depth, direct: false };
      yield await measure(
        {
          title: `FUSE: random 4 KiB reads, ${depth} in flight`,
          unit: { name: 'reads/s', perUnit: 1, cpuName: 'CPU us/read', cpuPerUnit: 1 },
          subjects: backends.map((backend) => engineSide(backend, worker, config)),
          competitors: [competitorSide(runningNode, worker, config)],
          bars,
          notes,
        },
        options,
      );
    }
  } finally {
    served.close();
  }
}
