import { execFileSync, spawnSync } from 'node:child_process';
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
import { application, npmCache, toolScript } from '../lib/tools.mjs';
import { treeDigest } from '../lib/tree-digest.mjs';

export const title = 'unmodified programs: plain Node beside --import ioengine/register, outputs compared byte by byte';

const SMOKE = ['tree-hash', 'log-lines', 'tar-pack', 'git-status'];
const OUTPUT_MAX = 64 << 20;

/**
 * @typedef {object} Program
 * @property {string} name file name in bench/programs
 * @property {number} atLeast how many times as fast as plain Node
 * @property {string} [script] another file than that
 * @property {string} [missing] why it cannot be run
 * @property {(work: string) => void} [before] each run, untimed
 * @property {(work: string) => string[]} args
 * @property {(work: string) => string} [left] the folder of what it leaves, when that is not all of its own
 */

/** @param {import('../run.mjs').Context} context */
export async function* run(context) {
  for (const { name, folder } of places(context)) {
    const tree = prepareSmallFiles(context.log, folder, context.files);
    const all = [...treePrograms(context, tree, folder), ...packagePrograms(context, tree, folder)];
    for (const program of context.smoke ? all.filter(({ name }) => SMOKE.includes(name)) : all)
      yield measureProgram(context, program, name, folder);
    // They depend on the disk less than on the processor.
    if (!context.quick && name === 'disk')
      for (const program of tools()) yield measureProgram(context, program, name, folder);
  }
}

/**
 * @param {import('../run.mjs').Context} context
 * @param {string} tree
 * @param {string} folder
 * @returns {Program[]}
 */
function treePrograms({ smoke, quick }, tree, folder) {
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
    { name: 'cp-tree', atLeast: folder.startsWith('/dev/shm') ? 3 : 0.98, args: (work) => [tree, join(work, 'copy')] },
  ];
}

/**
 * Programs on packages of npm.
 * @param {import('../run.mjs').Context} context
 * @param {string} tree
 * @param {string} folder
 * @returns {Program[]}
 */
function packagePrograms({ smoke, quick, files }, tree, folder) {
  const archive = join(folder, 'tree.tar');
  runPlain('tar-pack', [tree, folder]);
  // A repository takes its time per file.
  const share = join(tree, '1');
  const copy = (/** @type {string} */ work) => fs.cpSync(share, join(work, 'tree'), { recursive: true });
  const commit = (/** @type {string} */ work) => {
    copy(work);
    runPlain('git-add', [work]);
    for (const name of fs.readdirSync(share).slice(0, 10)) fs.appendFileSync(join(work, 'tree', name), 'changed');
  };
  const requests = smoke ? 200 : quick ? 2000 : 20_000;
  return [
    { name: 'tar-pack', atLeast: 1.3, args: (work) => [tree, work] },
    { name: 'tar-unpack', atLeast: 0.98, args: (work) => [archive, work] },
    {
      name: 'git-add',
      atLeast: 1.2,
      before: copy,
      args: (work) => [work],
      // The index has the times of files.
      left: (work) => join(work, 'tree', '.git', 'objects'),
    },
    {
      name: 'git-status',
      atLeast: 2,
      before: commit,
      args: (work) => [work],
      left: (work) => join(work, 'tree', '.git', 'objects'),
    },
    { name: 'send-files', atLeast: 1.6, args: () => [tree, String(files), String(requests)] },
  ];
}

/**
 * Compilers and the like. None may become slower.
 * @returns {Program[]}
 */
function tools() {
  const packages = join(repoFolder, 'node_modules');
  const missing = 'not installed (npm run bench -- --competitors)';
  const tool = (/** @type {'eslint' | 'tsc' | 'npm'} */ name) => {
    const script = toolScript(name);
    return script === undefined ? { script: '', missing } : { script };
  };
  const config = join(benchFolder, 'programs', 'support', 'eslint.config.mjs');
  const linted = ['scripts', 'bench', 'compat-tests', 'dist'];
  return [
    {
      name: 'webpack-build',
      atLeast: 0.98,
      args: (work) => [join(packages, 'vega', 'build', 'vega-core.js'), work],
    },
    {
      name: 'tsc',
      atLeast: 0.98,
      ...tool('tsc'),
      args: (work) => ['-p', repoFolder, '--outDir', join(work, 'out')],
    },
    {
      name: 'eslint',
      atLeast: 0.98,
      ...tool('eslint'),
      args: () => ['--config', config, ...linted],
    },
    {
      name: 'npm-ci',
      atLeast: 0.98,
      ...tool('npm'),
      before: (work) => fs.cpSync(application, join(work, 'application'), { recursive: true }),
      args: (work) => ['ci', ...NPM_OPTIONS, '--prefix', join(work, 'application')],
    },
  ];
}

const NPM_OPTIONS = ['--offline', '--cache', npmCache, '--ignore-scripts', '--no-audit', '--no-fund', '--silent'];

/** @param {string} name @param {string[]} args */
function runPlain(name, args) {
  const script = join(benchFolder, 'programs', `${name}.mjs`);
  execFileSync(process.execPath, [script, ...args], { env: cleanEnvironment(), stdio: 'pipe' });
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
function measureProgram(context, program, place, folder) {
  const { log, smoke, quick } = context;
  const backends = quick ? context.backends.slice(0, 1) : context.backends;
  const rounds = quick ? Math.min(context.rounds, 2) : context.rounds;
  const plain = { key: runningNode, label: 'plain node', options: [], env: {} };
  const runs = [plain, ...backends.map(withEngine)].map((side) => ({
    ...side,
    wallMs: /** @type {number[]} */ ([]),
    cpuMs: /** @type {number[]} */ ([]),
    failure: '',
  }));
  if (program.missing !== undefined) return result(program, place, runs, undefined);
  let expected = '';
  const before = { machine: machineCpu_us(), own: ownCpu_us(), at: performance.now() };
  // The first one warms up what all read.
  for (let round = smoke ? 0 : -1; round < rounds; round++) {
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
    const script = program.script ?? join(benchFolder, 'programs', `${program.name}.mjs`);
    const args = [...options, script, ...program.args(work)];
    const cpu_us = ownCpu_us();
    const started = performance.now();
    const child = spawnSync(process.execPath, args, {
      cwd: repoFolder,
      env: cleanEnvironment(env),
      encoding: 'utf8',
      maxBuffer: OUTPUT_MAX,
    });
    const wallMs = performance.now() - started;
    const cpuMs = (ownCpu_us() - cpu_us) / 1000;
    const failure = child.status === 0 ? '' : child.stderr.trim().split('\n').at(-1) || `exit code ${child.status}`;
    return { wallMs, cpuMs, failure, output: `${child.stdout.trim()} ${treeDigest(program.left?.(work) ?? work)}` };
  } finally {
    fs.rmSync(work, { recursive: true, force: true });
  }
}

/**
 * @param {Program} program
 * @param {string} place
 * @param {{ key: string, label: string, wallMs: number[], cpuMs: number[], failure: string }[]} runs
 * @param {number | undefined} others
 */
function result({ name, atLeast, missing }, place, runs, others) {
  const [plain, ...subjects] = runs;
  const good = missing === undefined ? runs.filter(({ failure }) => !failure) : [];
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
      const whole = missing === undefined && !side.failure && !plain.failure;
      const value = whole ? spreadOfPairs(side.wallMs, plain.wallMs, (ours, theirs) => theirs / ours) : undefined;
      return { subject: side.key, against: plain.key, metric: 'speed', value, ...judge(value?.median, { atLeast }) };
    }),
    failed: runs.filter(({ failure }) => failure).map(({ key, label, failure }) => ({ key, label, failure })),
    absent: missing === undefined ? [] : runs.map(({ key, label }) => ({ key, label, absent: missing })),
    notes: ['each printed and left on the file system what plain node did'],
    otherCpu: others === undefined ? undefined : spread([others]),
  };
}
