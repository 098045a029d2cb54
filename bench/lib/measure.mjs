// Runs the sides of one measurement in turn (A B C A B C ...) and compares the subjects with everybody else.
import { setTimeout as sleep } from 'node:timers/promises';
import { latencyOf } from './latency.mjs';
import { machineCpu_us } from './machine.mjs';
import { spread, spreadOfPairs } from './statistics.mjs';

/** Between two rounds, so that a kernel thread or a collector of the last side has come to rest. */
const REST_MS = 30;

/**
 * @typedef {object} Bar
 * @property {string} against key of a competitor
 * @property {'rate' | 'cpu'} metric
 * @property {number} [atLeast]
 * @property {number} [atMost]
 * @property {string[]} [backends] which backends it is for; all without
 * @property {string} [subject] key of the only subject it is for
 */

/**
 * @typedef {object} Plan
 * @property {string} title
 * @property {{ name: string, perUnit: number, cpuName: string, cpuPerUnit: number }} unit
 *   a rate is shown as work / s / perUnit; CPU time as µs per cpuPerUnit of work
 * @property {import('./sides.mjs').Side[]} subjects
 * @property {(import('./sides.mjs').Side | import('./sides.mjs').Absent)[]} competitors
 * @property {Bar[]} bars
 * @property {string[]} [notes]
 * @property {(round: import('./process-side.mjs').Round) => number} [figure] what counts of a round: else its rate
 * @property {(ours: number, theirs: number) => number} [compare] two such figures: else their ratio
 * @property {string} [comparisonName] what that gives
 * @property {(subject: string, against: string) => boolean} [isPeer] whether two sides are compared
 */

/** @typedef {'met' | 'missed' | 'not measured' | 'no bar'} Verdict */
/**
 * @typedef {object} Comparison
 * @property {string} subject
 * @property {string} against
 * @property {string} metric
 * @property {import('./statistics.mjs').Spread} [value]
 * @property {{ atLeast?: number, atMost?: number }} [bar]
 * @property {Verdict} verdict
 */

/**
 * @param {Plan} asPlanned
 * @param {{ rounds: number, roundMs: number, seed: number, log: (text: string) => void, competitors?: string[],
 *   engine?: string }} options `competitors`: these at most; `engine`: root of a second build
 */
export async function measure(asPlanned, options) {
  const { rounds, roundMs, seed, log } = options;
  const plan = planFor(asPlanned, options);
  const absent = plan.competitors.filter((side) => 'absent' in side);
  const sides = /** @type {import('./sides.mjs').Side[]} */ (
    [...plan.subjects, ...plan.competitors].filter((side) => !('absent' in side))
  );
  const runs = sides.map((side) => ({
    side,
    rounds: /** @type {import('./process-side.mjs').Round[]} */ ([]),
    failure: '',
  }));
  /** @type {number[]} */
  const others = [];

  /** @param {typeof runs[number]} run @param {() => Promise<void>} step */
  const guarded = async (run, step) => {
    try {
      if (!run.failure) await step();
    } catch (error) {
      run.failure = error instanceof Error ? error.message : String(error);
    }
  };
  try {
    for (const run of runs) {
      log(`${plan.title}: warming up ${run.side.label}`);
      await guarded(run, () => run.side.start({ roundMs, seed }));
    }
    for (let round = 0; round < rounds; round++) {
      log(`${plan.title}: round ${round + 1} of ${rounds}`);
      for (const run of runs) {
        await sleep(REST_MS);
        await guarded(run, async () => {
          const before_us = machineCpu_us();
          const started = performance.now();
          const result = await run.side.round(seed + round);
          run.rounds.push(result);
          const wall_us = (performance.now() - started) * 1000;
          others.push(Math.max(0, machineCpu_us() - before_us - result.cpu_us) / wall_us);
        });
      }
    }
  } finally {
    await Promise.all(runs.map((run) => run.side.stop()));
  }
  return summarise(plan, runs, absent, others);
}

/**
 * The plan with the sides that this run wants: fewer competitors in a quick one, a second build when one is given.
 * @param {Plan} plan
 * @param {{ competitors?: string[], engine?: string }} options
 * @returns {Plan}
 */
function planFor(plan, { competitors: wanted, engine }) {
  const isWanted = (/** @type {{ key: string }} */ { key }) => !wanted || wanted.includes(key.replace(/@.*/, ''));
  const others = engine
    ? plan.subjects.flatMap((side) => ('about' in side && side.about.ofBuild ? [side.about.ofBuild(engine)] : []))
    : [];
  return { ...plan, competitors: [...others, ...plan.competitors.filter(isWanted)] };
}

/**
 * @param {Plan} plan
 * @param {{ side: import('./sides.mjs').Side, rounds: import('./process-side.mjs').Round[], failure: string }[]} runs
 * @param {import('./sides.mjs').Absent[]} absent
 * @param {number[]} others
 */
function summarise(plan, runs, absent, others) {
  const good = runs.filter((run) => !run.failure);
  const series = new Map(
    good.map(({ side, rounds }) => [
      side.key,
      {
        rate: rounds.map(plan.figure ?? ((round) => (round.work / round.wall_ns) * 1e9)),
        cpu: rounds.map((round) => round.cpu_us / round.work),
      },
    ]),
  );
  const sides = good.map(({ side, rounds }) => {
    const { rate, cpu } = /** @type {{ rate: number[], cpu: number[] }} */ (series.get(side.key));
    return {
      key: side.key,
      label: side.label,
      facts: side.facts,
      rate: spread(rate.map((value) => value / plan.unit.perUnit)),
      cpu_us: spread(cpu.map((value) => value * plan.unit.cpuPerUnit)),
      latency_us: latencyOf(rounds.map((round) => round.latencies_us)),
      lanes: rounds.at(-1)?.lanes,
      rounds: rounds.map(({ work, wall_ns, cpu_us }) => ({ work, wall_ns, cpu_us })),
    };
  });
  const keys = [...runs.map(({ side }) => side.key), ...absent.map(({ key }) => key)];
  return {
    title: plan.title,
    unit: plan.unit.name,
    cpuUnit: plan.unit.cpuName,
    sides,
    comparisonName: plan.comparisonName,
    comparisons: plan.subjects.flatMap((subject) => compareSubject(plan, subject, series, keys)),
    failed: runs
      .filter((run) => run.failure)
      .map(({ side, failure }) => ({ key: side.key, label: side.label, failure })),
    absent,
    notes: plan.notes ?? [],
    otherCpu: others.length > 0 ? spread(others) : undefined,
  };
}

/**
 * @param {Plan} plan
 * @param {import('./sides.mjs').Side} subject
 * @param {Map<string, { rate: number[], cpu: number[] }>} series
 * @param {string[]} keys
 * @returns {Comparison[]}
 */
function compareSubject(plan, subject, series, keys) {
  const subjectKeys = new Set(plan.subjects.map(({ key }) => key));
  const backend =
    /** @type {{ backend?: { name?: string } }} */ (subject.facts).backend?.name ?? backendOf(subject.key);
  const concerns = (/** @type {Bar} */ bar) =>
    (bar.subject ?? subject.key) === subject.key && (bar.backends?.includes(backend) ?? true);
  return keys
    .filter((key) => !subjectKeys.has(key) && (!key.endsWith('-other') || key === `${subject.key}-other`))
    .filter((key) => plan.isPeer?.(subject.key, key) ?? true)
    .flatMap((against) => {
      const bars = plan.bars.filter((bar) => bar.against === against && concerns(bar));
      const withRate = bars.some((bar) => bar.metric === 'rate')
        ? bars
        : [/** @type {Bar} */ ({ against, metric: 'rate' }), ...bars];
      return withRate.map((bar) => {
        const ours = series.get(subject.key)?.[bar.metric];
        const theirs = series.get(against)?.[bar.metric];
        const combine = (bar.metric === 'rate' && plan.compare) || ((a, b) => a / b);
        const value = ours && theirs ? spreadOfPairs(ours, theirs, combine) : undefined;
        return { subject: subject.key, against, metric: bar.metric, value, ...judge(value?.median, bar) };
      });
    });
}

/** The backend asked for, for a side that never got so far as to name its own. @param {string} key */
function backendOf(key) {
  return key.split('-')[1];
}

/**
 * @param {number | undefined} value
 * @param {{ atLeast?: number, atMost?: number }} bar
 * @returns {{ bar?: { atLeast?: number, atMost?: number }, verdict: Verdict }}
 */
export function judge(value, { atLeast, atMost }) {
  if (atLeast === undefined && atMost === undefined) return { verdict: 'no bar' };
  const bar = { atLeast, atMost };
  if (value === undefined) return { bar, verdict: 'not measured' };
  const met = value >= (atLeast ?? Number.NEGATIVE_INFINITY) && value <= (atMost ?? Number.POSITIVE_INFINITY);
  return { bar, verdict: met ? 'met' : 'missed' };
}
