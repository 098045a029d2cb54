import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { cleanEnvironment } from '../lib/environment.mjs';
import { buildLimit } from '../lib/limit.mjs';
import { machineCpu_us, ownCpu_us } from '../lib/machine.mjs';
import { judge } from '../lib/measure.mjs';
import { repoFolder, workersFolder } from '../lib/paths.mjs';
import { runningNode } from '../lib/sides.mjs';
import { spread, spreadOfPairs } from '../lib/statistics.mjs';

export const title = 'start-up of whole processes: the import, the preload, one readFile; what auto mode has running';

const REGISTER = ['--import', 'ioengine/register'];
const READ = "fs.readFile('package.json', () => {})";

/**
 * @typedef {object} Way how a process begins; `atMost`: how many ms longer than plain Node
 * @property {string} name
 * @property {string[]} options of Node, for the engine's side
 * @property {(name: string) => string} code with the module's name
 * @property {{ backend: string, atMost: number, refused?: boolean }[]} sides `refused`: io_uring is forbidden, for both
 */

/** @type {Way[]} */
const ways = [
  {
    name: 'import',
    options: [],
    code: (name) => `import '${name}'`,
    sides: [
      { backend: 'auto', atMost: 4 },
      { backend: 'uring', atMost: 8 },
      { backend: 'aio', atMost: 8 },
    ],
  },
  {
    name: 'import and one readFile',
    options: [],
    code: (name) => `import fs from '${name}'; ${READ}`,
    sides: [
      { backend: 'auto', atMost: 8 },
      { backend: 'auto', atMost: 8, refused: true },
      { backend: 'uring', atMost: 8 },
      { backend: 'aio', atMost: 8 },
    ],
  },
  {
    name: 'preload of an empty program',
    options: REGISTER,
    code: () => '',
    sides: [{ backend: 'auto', atMost: 6 }],
  },
  {
    name: 'preload and one readFile',
    options: REGISTER,
    code: () => `import fs from 'node:fs'; ${READ}`,
    sides: [{ backend: 'auto', atMost: 8 }],
  },
];

/** @param {import('../run.mjs').Context} context */
export async function* run(context) {
  const rounds = context.smoke ? 1 : context.quick ? 5 : 60;
  for (const way of ways) yield timeStartup(context, rounds, way);
  yield countBeforeFirstOperation(context);
}

/** @param {Way} way */
function sidesOf({ options, code, sides }) {
  const built = buildLimit('without_uring');
  const subjects = sides.map(({ backend, atMost, refused }) => ({
    key: `ioengine-${backend}${refused ? '-refused' : ''}`,
    label: `ioengine ${backend}${refused ? ', io_uring refused' : ''}`,
    args: [...options, '--input-type=module', '-e', code('ioengine/fs')],
    env: { IOENGINE_BACKEND: backend },
    refused,
    atMost,
  }));
  const plain = { label: `node ${process.versions.node.split('.')[0]}`, env: {}, atMost: undefined };
  const args = ['--input-type=module', '-e', code('node:fs')];
  const plains = [
    { ...plain, key: runningNode, args, refused: false },
    ...(sides.some(({ refused }) => refused)
      ? [{ ...plain, key: `${runningNode}-refused`, label: `${plain.label}, io_uring refused`, args, refused: true }]
      : []),
  ];
  return [...subjects, ...plains].map((side) => ({
    ...side,
    command: [...(side.refused && 'path' in built ? [built.path] : []), process.execPath],
    wallMs: /** @type {number[]} */ ([]),
    failure: side.refused && 'missing' in built ? built.missing : '',
  }));
}

/**
 * Whole processes, from spawn to exit, in turn.
 * @param {import('../run.mjs').Context} context
 * @param {number} rounds
 * @param {Way} way
 */
function timeStartup(context, rounds, way) {
  const runs = sidesOf(way);
  const warmUp = context.smoke ? 0 : 2;
  const before = { machine: machineCpu_us(), own: ownCpu_us(), at: performance.now() };
  for (let round = -warmUp; round < rounds; round++) {
    context.log(`start-up, ${way.name}: round ${round + 1} of ${rounds}`);
    for (const side of runs.filter(({ failure }) => !failure)) {
      const [command, ...first] = side.command;
      const started = performance.now();
      const child = spawnSync(command, [...first, ...side.args], {
        cwd: repoFolder, // where the package's own name resolves
        env: cleanEnvironment(side.env),
        encoding: 'utf8',
      });
      const wallMs = performance.now() - started;
      if (child.status !== 0) side.failure = lastErrorLine(child.stderr) || `exit code ${child.status}`;
      else if (round >= 0) side.wallMs.push(wallMs);
    }
  }
  const others_us = machineCpu_us() - before.machine - (ownCpu_us() - before.own);
  const others = Math.max(0, others_us / 1000 / (performance.now() - before.at));
  return timed(way, rounds, runs, others);
}

/**
 * @param {Way} way
 * @param {number} rounds
 * @param {ReturnType<typeof sidesOf>} runs
 * @param {number} others
 */
function timed(way, rounds, runs, others) {
  const subjects = runs.filter(({ atMost }) => atMost !== undefined);
  return {
    title: `${way.name}, whole process, ${rounds} rounds`,
    unit: 'ms',
    cpuUnit: '',
    sides: runs
      .filter(({ failure }) => !failure)
      .map(({ key, label, wallMs }) => ({ key, label, facts: {}, rate: spread(wallMs), rounds: wallMs })),
    comparisonName: 'difference in ms, round by round',
    comparisons: subjects.map((side) => {
      const against = side.refused ? `${runningNode}-refused` : runningNode;
      const node = /** @type {(typeof runs)[number]} */ (runs.find(({ key }) => key === against));
      const value = side.failure || node.failure ? undefined : spreadOfPairs(side.wallMs, node.wallMs, (a, b) => a - b);
      const verdict = judge(value?.median, { atMost: side.atMost });
      return { subject: side.key, against, metric: 'difference_ms', value, ...verdict };
    }),
    failed: runs.filter(({ failure }) => failure).map(({ key, label, failure }) => ({ key, label, failure })),
    absent: [],
    notes: [],
    otherCpu: spread([others]),
  };
}

/** @param {string} text */
function lastErrorLine(text) {
  return text.split('\n').find((line) => /error/i.test(line)) ?? text.trim().split('\n').at(-1);
}

/** @typedef {{ threads: number, rings: number, aioContexts: number }} Counts */

/**
 * @param {import('../run.mjs').Context} context
 * @param {string} module
 * @param {Record<string, string>} env
 * @returns {{ before: Counts, after: Counts }}
 */
function probe(context, module, env) {
  const config = JSON.stringify({ module, file: context.file.path });
  const options = {
    env: cleanEnvironment(env),
    encoding: /** @type {const} */ ('utf8'),
    stdio: /** @type {const} */ ('pipe'),
  };
  return JSON.parse(execFileSync(process.execPath, [join(workersFolder, 'startup-probe.mjs'), config], options));
}

/** @param {Counts} counts */
const kernelObjects = ({ rings, aioContexts }) => rings + aioContexts;

/**
 * Auto mode must not have made a thread, a ring or an AIO context before the first operation; plain Node, which runs
 * the same script, is what it is compared with (its module loader has threads of its own).
 * @param {import('../run.mjs').Context} context
 */
function countBeforeFirstOperation(context) {
  const label = 'ioengine auto';
  const result = {
    title: 'auto mode: threads, rings and AIO contexts after the import, before and after the first read',
    unit: 'count',
    cpuUnit: '',
    sides: /** @type {object[]} */ ([]),
    comparisonName: 'more than plain node',
    comparisons: /** @type {object[]} */ ([]),
    failed: /** @type {object[]} */ ([]),
    absent: [],
    notes: /** @type {string[]} */ ([]),
  };
  try {
    const plain = probe(context, 'node:fs', {});
    const engine = probe(context, 'ioengine/fs', { IOENGINE_BACKEND: 'auto' });
    for (const what of /** @type {(keyof Counts)[]} */ (['threads', 'rings', 'aioContexts'])) {
      const counts = { plain: plain.before[what], engine: engine.before[what] };
      result.sides.push({ key: `plain-${what}`, label: `plain node: ${what}`, rate: spread([counts.plain]) });
      result.sides.push({ key: `auto-${what}`, label: `${label}: ${what}`, rate: spread([counts.engine]) });
      const value = spread([counts.engine - counts.plain]);
      const verdict = judge(value.median, { atMost: 0 });
      result.comparisons.push({
        subject: `auto-${what}`,
        against: `plain-${what}`,
        metric: 'count',
        value,
        ...verdict,
      });
    }
    // The control: counts that stay the same whatever happens would prove nothing.
    const grown = (/** @type {{ before: Counts, after: Counts }} */ { before, after }) =>
      kernelObjects(after) - kernelObjects(before);
    const value = spread([grown(engine) - grown(plain)]);
    result.sides.push({
      key: 'auto-after',
      label: `${label}: rings and contexts after the read`,
      rate: spread([kernelObjects(engine.after)]),
    });
    result.sides.push({
      key: 'plain-after',
      label: 'plain node: rings and contexts after the read',
      rate: spread([kernelObjects(plain.after)]),
    });
    const control = { subject: 'auto-after', against: 'plain-after', metric: 'growth', value };
    result.comparisons.push({ ...control, ...judge(value.median, { atLeast: 1 }) });
    const text = (/** @type {Counts} */ { threads, rings, aioContexts }) =>
      `${threads} threads, ${rings} rings, ${aioContexts} AIO contexts`;
    result.notes.push(`after one O_DIRECT read: plain node ${text(plain.after)}; ${label} ${text(engine.after)}`);
  } catch (error) {
    const { stderr, message } = /** @type {{ stderr?: string, message: string }} */ (error);
    result.failed.push({ key: 'ioengine-auto', label, failure: lastErrorLine(stderr ?? '') || message });
    const verdict = judge(undefined, { atMost: 0 });
    result.comparisons.push({ subject: 'ioengine-auto', against: 'plain node', metric: 'count', ...verdict });
  }
  return result;
}
