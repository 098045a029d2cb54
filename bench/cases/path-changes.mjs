import { measure } from '../lib/measure.mjs';
import { places } from '../lib/places.mjs';
import { competitorSide, engineSide, otherRuntimes, runningNode } from '../lib/sides.mjs';

export const title = 'writeFile of 4 KiB, unlink, rename, mkdir, readdir of 20 names, open + close; tmpfs and disk';

const WORKER = 'path-changes.mjs';
const DEPTH = 64;
const calls = ['writeFile', 'unlink', 'rename', 'mkdir', 'readdir', 'open'];

/** @param {import('../run.mjs').Context} context */
export async function* run(context) {
  for (const place of places(context)) {
    for (const call of context.smoke ? calls.slice(0, 2) : calls)
      yield await measure(plan(context, place, call), { ...context, roundMs: context.roundMs(200) });
  }
}

/**
 * @param {import('../run.mjs').Context} context
 * @param {import('../lib/places.mjs').Place} place
 * @param {string} call
 * @returns {import('../lib/measure.mjs').Plan}
 */
function plan({ backends }, { name, folder }, call) {
  const config = { folder, call, depth: DEPTH };
  return {
    title: `promises.${call}${call === 'open' ? ' + close' : ''} on ${name}, ${DEPTH} at a time`,
    unit: { name: 'calls/s', perUnit: 1, cpuName: 'CPU us/call', cpuPerUnit: 1 },
    subjects: backends.map((backend) => engineSide(backend, WORKER, config)),
    competitors: [runningNode, ...otherRuntimes].map((key) => competitorSide(key, WORKER, config)),
    bars: [{ against: 'node26', metric: 'rate', atLeast: 1.3 }],
  };
}
