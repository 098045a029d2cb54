// The loop over the n-th fault, in a process of its own: for every scenario, every site that it reaches and everything
// that can happen there, at the first, second, third … call of the site, once and for good. After each the outcome is
// judged, nothing may be held, and the scenario runs again as if nothing had been.
//
// Its argument: { folder, share, seed, cold?, settleMs?, broken?, loses?, only? }. `share` of all runs, chosen by the
// seed, or `only` those with this { scenario, site, kind, value, first, times }. `cold`: the share of operations that
// find nothing in the kernel's caches. `broken`: how the engine's module is; `loses`: the pool's wake-ups are lost. The
// last line of the output is the result.
import nodeFs from 'node:fs';
import path from 'node:path';
import engineFs from 'ioengine/fs';
import { brokenFs } from './broken-fs.mjs';
import { arm, countOnly, disarm, failAlways, held, reached } from './injector.mjs';
import { faultOfError, faultOfFiles, faultOfValue } from './judge.mjs';
import { calledBack, contentsOf, prepare, referenceFs, scenarios } from './scenarios.mjs';
import { actionsOf, FOR_GOOD } from './sites.mjs';

const {
  folder: root,
  share,
  seed,
  cold = 0.5,
  settleMs = 30_000,
  broken,
  loses,
  only = {},
} = JSON.parse(process.argv[2]);
if (loses) actionsOf.eventfd_write = [{ kind: 'lose', value: 0, notice: 'exact', times: [FOR_GOOD] }];
const fs = broken === undefined ? engineFs : brokenFs(engineFs, broken);

const report = { runs: 0, happened: 0, sites: {}, failures: [], slowest: 0 };

let state = seed >>> 0 || 1;
function random() {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) / 2 ** 32;
}

const turn = () => new Promise(setImmediate);
const descriptors = () => nodeFs.readdirSync('/proc/self/fd').length;

let folders = 0;
function freshFolder() {
  const folder = path.join(root, `f${folders++}`);
  nodeFs.mkdirSync(folder);
  prepare(folder);
  return folder;
}
const removeFolder = (folder) => nodeFs.rmSync(folder, { recursive: true, force: true });

/** Rejects where nothing is heard of the scenario any more. */
function settled(promise) {
  let timer;
  const late = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('does not settle')), settleMs);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

async function outcomeOf(scenario, module_, folder) {
  try {
    return { resolved: true, value: await settled(scenario.run(module_, folder)) };
  } catch (error) {
    return { resolved: false, error };
  }
}

/** Waits until the engine holds nothing and no descriptor is left; what is left after that is a leak. */
async function leakOf(before) {
  const deadline = performance.now() + settleMs;
  for (let i = 0; performance.now() < deadline; i++) {
    const now = held();
    const isEmpty = now.requests === 0 && now.unsettled === 0 && now.inFlight === 0;
    if (isEmpty && now.alignedBytes === before.alignedBytes && descriptors() === before.descriptors) return undefined;
    await turn();
    if (i > 100) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return `left: ${JSON.stringify({ ...held(), descriptors: descriptors() })}, before ${JSON.stringify(before)}`;
}

const mark = () => ({ alignedBytes: held().alignedBytes, descriptors: descriptors() });

/** What is wrong with an outcome, as one line, or undefined. */
function judge(scenario, reference, action, outcome, folder) {
  const isExact = action.notice === 'exact';
  if (!outcome.resolved) {
    if (outcome.error.message === 'does not settle') return 'does not settle';
    const fault = faultOfError(outcome.error);
    if (fault !== undefined) return fault;
    if (isExact) return `rejects with ${outcome.error.message}`;
    const codes = (outcome.error.errors ?? [outcome.error]).map(({ code }) => code);
    if (!codes.includes(action.value) && !codes.includes(action.also))
      return `rejects with ${outcome.error.message}, the fault was ${action.value}`;
  } else {
    if (action.notice === 'rejects') return 'resolves, and says nothing of the error';
    const fault = faultOfValue(scenario, outcome.value, reference.value, !isExact);
    if (fault !== undefined) return fault;
  }
  if (scenario.kind !== 'changes') return undefined;
  const found = { ...outcome, wanted: reference.value };
  return faultOfFiles(scenario, found, contentsOf(folder), reference.before, reference.after);
}

async function runOne(scenario, reference, fault, shared) {
  const folder = scenario.kind === 'changes' ? freshFolder() : shared;
  const before = mark();
  const started = performance.now();
  arm(fault);
  const outcome = await outcomeOf(scenario, fs, folder);
  const happened = disarm();
  const leak = await leakOf(before);
  report.slowest = Math.max(report.slowest, Math.round(performance.now() - started));
  const fault_ = happened === 0 ? { ...fault, notice: 'exact' } : fault;
  const wrong = judge(scenario, reference, fault_, outcome, folder) ?? leak;
  report.runs++;
  report.happened += happened > 0 ? 1 : 0;
  if (happened > 0) report.sites[fault.site] = (report.sites[fault.site] ?? 0) + 1;
  if (calledBack.twice > 0) report.failures.push({ scenario: scenario.name, ...fault, wrong: 'called back twice' });
  if (wrong !== undefined) report.failures.push({ scenario: scenario.name, ...fault, happened, wrong });
  if (scenario.kind === 'changes') removeFolder(folder);
  return { happened, wrong };
}

/** As it is without a fault, once more: what has failed before must not be remembered. */
async function runClean(scenario, reference, shared, fault) {
  const folder = scenario.kind === 'changes' ? freshFolder() : shared;
  const outcome = await outcomeOf(scenario, fs, folder);
  const wrong = judge(scenario, reference, { notice: 'exact' }, outcome, folder);
  if (wrong !== undefined)
    report.failures.push({ scenario: scenario.name, ...fault, wrong: `the time after: ${wrong}` });
  if (scenario.kind === 'changes') removeFolder(folder);
}

async function referenceOf(scenario) {
  const folder = freshFolder();
  const before = contentsOf(folder);
  const outcome = await outcomeOf(scenario, referenceFs, folder);
  const after = contentsOf(folder);
  removeFolder(folder);
  return { ...outcome, before, after };
}

/** Which call of a site is the first to fail: all of them, or a few where there are many. */
function callsOf(count) {
  const most = 12;
  const calls = Array.from({ length: Math.min(count, most) }, (_, index) => index + 1);
  if (count > most) calls.push(Math.ceil(count / 2), count);
  return calls;
}

const isWanted = (fault) => Object.entries(only).every(([name, value]) => name === 'scenario' || fault[name] === value);

async function everyFaultOf(scenario, reference, shared) {
  const counts = {};
  for (let i = 0; i < (share < 1 ? 1 : 3); i++) {
    const folder = scenario.kind === 'changes' ? freshFolder() : shared;
    const before = mark();
    countOnly();
    await outcomeOf(scenario, fs, folder);
    await leakOf(before);
    for (const [site, count] of Object.entries(reached())) counts[site] = Math.max(counts[site] ?? 0, count);
    if (scenario.kind === 'changes') removeFolder(folder);
  }
  for (const [site, count] of Object.entries(counts)) {
    for (const { times, ...action } of actionsOf[site]) {
      for (const so of times) {
        for (const first of callsOf(count)) {
          const fault = { site, ...action, first, times: so };
          if (!isWanted(fault) || random() >= share) continue;
          const { happened } = await runOne(scenario, reference, fault, shared);
          if (random() < 0.2) await runClean(scenario, reference, shared, fault);
          if (happened === 0) break;
        }
      }
    }
    if (report.failures.length > 20) return;
  }
}

const unused = Object.keys(actionsOf);
for (const scenario of scenarios) {
  if (only.scenario !== undefined && scenario.name !== only.scenario) continue;
  const reference = await referenceOf(scenario);
  if (!reference.resolved) throw reference.error;
  const code = random() < cold ? 'EAGAIN' : undefined;
  for (const site of ['openat2', 'preadv2']) failAlways(site, code);
  const shared = freshFolder();
  await runClean(scenario, reference, shared, { site: 'none' });
  await everyFaultOf(scenario, reference, shared);
  removeFolder(shared);
}
report.never = unused.filter((site) => report.sites[site] === undefined);
console.log(JSON.stringify(report));
