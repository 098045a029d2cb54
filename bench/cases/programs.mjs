import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';
import { cleanEnvironment } from '../lib/environment.mjs';
import { machineCpu_us, ownCpu_us } from '../lib/machine.mjs';
import { judge } from '../lib/measure.mjs';
import { benchFolder, repoFolder } from '../lib/paths.mjs';
import { places } from '../lib/places.mjs';
import { runningNode } from '../lib/sides.mjs';
import { prepareSmallFiles } from '../lib/small-files.mjs';
import { spread, spreadOfPairs } from '../lib/statistics.mjs';
import { treeDigest } from '../lib/tree-digest.mjs';

export const title = 'unmodified programs: plain Node beside --import ioengine/register, outputs compared byte by byte';

/**
 * @typedef {object} Program
 * @property {string} name file name in bench/programs
 * @property {number} atLeast how many times as fast as plain Node
 * @property {(work: string) => void} [before] each run, untimed
 * @property {(work: string) => string[]} args
 */

/** @param {import('../run.mjs').Context} context */
export async function* run(context) {
  for (const { name, folder } of places()) {
    const tree = prepareSmallFiles(context.log, folder, context.files);
    for (const program of programs(context, tree, folder)) yield measureProgram(context, program, name, folder);
  }
}

/**
 * @param {import('../run.mjs').Context} context
 * @param {string} tree
 * @param {string} folder
 * @returns {Program[]}
 */
function programs({ smoke, quick }, tree, folder) {
  const lines = smoke ? 2000 : quick ? 50_000 : 400_000;
  const text = join(folder, 'lines.txt');
  fs.writeFileSync(text, Array.from({ length: lines }, (_, i) => `line ${i} ${'x'.repeat(i % 173)}\n`).join(''));
  const copy = (/** @type {string} */ work) => fs.cpSync(tree, join(work, 'tree'), { recursive: true });
  return [
    { name: 'tree-hash', atLeast: 1.5, args: () => [tree] },
    { name: 'tree-lstat', atLeast: 3, args: () => [tree] },
    { name: 'log-lines', atLeast: 2.5, args: (work) => [work, String(lines)] },
    { name: 'read-lines', atLeast: 2, args: () => [text] },
    { name: 'rm-tree', atLeast: 2, before: copy, args: (work) => [join(work, 'tree')] },
    { name: 'cp-tree', atLeast: 3, args: (work) => [tree, join(work, 'copy')] },
  ];
}

/** @param {string} backend */
const withEngine = (backend) => ({
  key: `ioengine-${backend}`,
  label: `with register, ${backend}`,
  options: ['--import', join(repoFolder, 'dist', 'register.js')],
  env: { IOENGINE_BACKEND: backend },
});

/**
 * Whole processes in turn; what each printed and left must be what plain Node printed and left.
 * @param {import('../run.mjs').Context} context
 * @param {Program} program
 * @param {string} place
 * @param {string} folder
 */
function measureProgram({ backends, rounds, log }, program, place, folder) {
  const plain = { key: runningNode, label: 'plain node', options: [], env: {} };
  const runs = [plain, ...backends.map(withEngine)].map((side) => ({
    ...side,
    wallMs: /** @type {number[]} */ ([]),
    cpuMs: /** @type {number[]} */ ([]),
    failure: '',
  }));
  let expected = '';
  const before = { machine: machineCpu_us(), own: ownCpu_us(), at: performance.now() };
  for (let round = -1; round < rounds; round++) {
    log(`${program.name} on ${place}: round ${round + 1} of ${rounds}`);
    for (const side of runs.filter(({ failure }) => !failure)) {
      const { wallMs, cpuMs, output, failure } = runProgram(program, side, join(folder, 'work'));
      if (side === runs[0] && expected === '') expected = output;
      side.failure = failure || (output === expected ? '' : `another output than plain node: ${output}`);
      if (side.failure || round < 0) continue;
      side.wallMs.push(wallMs);
      side.cpuMs.push(cpuMs);
    }
  }
  const others_us = machineCpu_us() - before.machine - (ownCpu_us() - before.own);
  const others = Math.max(0, others_us / 1000 / (performance.now() - before.at));
  return result(program, place, runs, others);
}

/**
 * @param {Program} program
 * @param {{ options: string[], env: Record<string, string> }} side
 * @param {string} work an empty folder for it
 */
function runProgram(program, { options, env }, work) {
  fs.mkdirSync(work);
  try {
    program.before?.(work);
    const args = [...options, join(benchFolder, 'programs', `${program.name}.mjs`), ...program.args(work)];
    const cpu_us = ownCpu_us();
    const started = performance.now();
    const child = spawnSync(process.execPath, args, { env: cleanEnvironment(env), encoding: 'utf8' });
    const wallMs = performance.now() - started;
    const cpuMs = (ownCpu_us() - cpu_us) / 1000;
    const failure = child.status === 0 ? '' : child.stderr.trim().split('\n').at(-1) || `exit code ${child.status}`;
    return { wallMs, cpuMs, failure, output: `${child.stdout.trim()} ${treeDigest(work)}` };
  } finally {
    fs.rmSync(work, { recursive: true, force: true });
  }
}

/**
 * @param {Program} program
 * @param {string} place
 * @param {{ key: string, label: string, wallMs: number[], cpuMs: number[], failure: string }[]} runs
 * @param {number} others
 */
function result({ name, atLeast }, place, runs, others) {
  const [plain, ...subjects] = runs;
  const good = runs.filter(({ failure }) => !failure);
  return {
    title: `${name} on ${place}`,
    unit: 'ms',
    cpuUnit: 'CPU us/run',
    sides: good.map(({ key, label, wallMs, cpuMs }) => ({
      key,
      label,
      facts: {},
      rate: spread(wallMs),
      cpu_us: spread(cpuMs.map((ms) => ms * 1000)),
      rounds: wallMs,
    })),
    comparisonName: 'times as fast, round by round',
    comparisons: subjects.map((side) => {
      const whole = !side.failure && !plain.failure;
      const value = whole ? spreadOfPairs(side.wallMs, plain.wallMs, (ours, theirs) => theirs / ours) : undefined;
      return { subject: side.key, against: plain.key, metric: 'speed', value, ...judge(value?.median, { atLeast }) };
    }),
    failed: runs.filter(({ failure }) => failure).map(({ key, label, failure }) => ({ key, label, failure })),
    absent: [],
    notes: ['each printed and left on the file system what plain node did'],
    otherCpu: spread([others]),
  };
}
