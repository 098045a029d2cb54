// npm test: set-up, the native tests, then the mocha suite once per backend, each in a process of its own.
//
//   npm test -- [--backend uring|aio|threads|auto] [--without BACKEND|once] [--grep TEXT] [--verbose] [--jobs N]
//     [--retries N] [FILE or FOLDER ...]
//
// --retries N: a test that fails is tried N times more, for machines whose load nobody knows; the summary says how
// often that was needed. Two runs go side by side where there are two CPUs (--jobs); what one prints comes when it
// has ended. Without a selection everything runs, and each run has to prove that its backend did the work
// (helpers/backend.mjs).
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { filesBelow, inRoot, root } from '../scripts/lib/paths.mjs';
import { main, PlainError } from '../scripts/lib/run.mjs';
import { runNativeTests } from '../scripts/native-tests.mjs';
import { setUp } from '../scripts/setup.mjs';
import { unavailability } from './run.availability.mjs';
import { runMocha } from './run.mocha.mjs';

const backends = ['uring', 'aio', 'threads', 'auto'];
// What these test does not depend on the backend (or they choose backends themselves), so once is enough.
const onceFolders = ['cli', 'docs', 'packed', 'repo', 'surface'];

const testsFolder = inRoot('compat-tests');
const isOnce = (file) => onceFolders.includes(path.relative(testsFolder, file).split(path.sep)[0]);

function parseOptions() {
  const { values, positionals } = parseArgs({
    options: {
      backend: { type: 'string', multiple: true, default: [] },
      without: { type: 'string', multiple: true, default: [] },
      grep: { type: 'string' },
      verbose: { type: 'boolean', default: false },
      retries: { type: 'string' },
      jobs: { type: 'string', default: String(Math.min(2, os.availableParallelism())) },
    },
    allowPositionals: true,
  });
  const chosen = values.backend.flatMap((list) => list.split(','));
  const without = values.without.filter((name) => name !== 'once');
  for (const name of [...chosen, ...without]) {
    if (!backends.includes(name)) {
      throw new PlainError(`unknown backend ${JSON.stringify(name)}: choose one of ${backends.join(', ')}`);
    }
  }
  const jobs = Number(values.jobs);
  if (!Number.isInteger(jobs) || jobs < 1) throw new PlainError(`--jobs ${values.jobs}: not a number of runs`);
  return {
    chosen,
    without: values.without,
    grep: values.grep,
    verbose: values.verbose,
    retries: values.retries,
    jobs,
    files: positionals.flatMap(expand),
  };
}

/** A test file or a folder of them, named from here, from the repository or from compat-tests/. */
function expand(name) {
  const found = [path.resolve(name), inRoot(name), path.join(testsFolder, name)].find((file) => existsSync(file));
  if (!found) throw new PlainError(`no such test file or folder: ${name}`);
  return statSync(found).isDirectory() ? filesBelow(found, ['.test.mjs']) : [found];
}

function plan({ chosen, without, grep, files }) {
  const selected = chosen.length > 0 || grep !== undefined || files.length > 0;
  const all = files.length > 0 ? files : filesBelow(testsFolder, ['.test.mjs']);
  return {
    native: !selected,
    once: without.includes('once') || (chosen.length > 0 && files.length === 0) ? [] : all.filter(isOnce),
    perBackend: all.filter((file) => !isOnce(file)),
    backends: (chosen.length > 0 ? chosen : backends).filter((name) => !without.includes(name)),
    complete: !selected,
  };
}

const counted = ({ passed, failed, skipped }) => `${passed} passed, ${failed} failed, ${skipped} skipped`;
const retriedNote = (times) => (times > 0 ? `; ${times} failed and tried again` : '');

function describeLanes(lanes) {
  if (!lanes) return '';
  const used = Object.entries(lanes).filter(([, { operations }]) => operations > 0);
  return used.map(([lane, { operations }]) => `${lane} ${operations}`).join(', ');
}

class Summary {
  rows = [];

  add(name, totals, note = '') {
    this.rows.push({ name, totals, note });
  }

  total(kind) {
    return this.rows.reduce((sum, row) => sum + row.totals[kind], 0);
  }

  print() {
    console.log('\nSummary');
    for (const { name, totals, note } of this.rows) console.log(`  ${name.padEnd(8)} ${counted(totals)}  ${note}`);
    const totals = { passed: this.total('passed'), failed: this.total('failed'), skipped: this.total('skipped') };
    console.log(`\n${counted(totals)}`);
    return totals;
  }
}

async function runNative(summary) {
  console.log('\nNative tests (mock backend, AddressSanitizer)');
  const totals = await runNativeTests();
  // An empty run is a broken run: it must not look like a passed one.
  if (totals.passed + totals.failed + totals.skipped === 0) totals.failed = 1;
  summary.add('native', totals);
}

/** One run of mocha; `alone`: nothing runs beside it, so a reader sees each file as it ends. */
async function runFiles(title, name, files, run, alone, summary) {
  if (alone) console.log(`\n${title}`);
  const result = await runMocha(files, { ...run, buffered: !alone });
  if (!alone) console.log(`\n${title}\n${result.output}`);
  const lanes = describeLanes(result.lanes);
  summary.add(
    name,
    result.totals,
    `${result.seconds} s${lanes === '' ? '' : `; ${lanes}`}${retriedNote(result.totals.retried)}`,
  );
}

async function runBackend(name, todo, run, alone, summary) {
  const problem = unavailability(name);
  if (problem) {
    const how = problem.excused ? '- skipped, because' : '✗ not available, and nothing outside of the engine says why:';
    console.log(`\nBackend ${name}\n  ${how} ${problem.reason}`);
    const totals = { passed: 0, failed: problem.excused ? 0 : 1, skipped: problem.excused ? 1 : 0 };
    summary.add(name, totals, 'not available here');
    return;
  }
  const whole = { ...run, backend: name, complete: todo.complete };
  await runFiles(`Backend ${name}`, name, todo.perBackend, whole, alone, summary);
}

/** The runs of mocha that are to be made, each called with whether it is alone. */
function runsOf(todo, options, summary, scratch) {
  const run = (name) => ({ ...options, scratch: path.join(scratch, name) });
  const runs = [];
  if (todo.once.length > 0) {
    const once = { ...run('once'), backend: 'auto', complete: false };
    runs.push((alone) => runFiles('Once (not about one backend)', 'once', todo.once, once, alone, summary));
  }
  if (todo.perBackend.length > 0) {
    for (const name of todo.backends) runs.push((alone) => runBackend(name, todo, run(name), alone, summary));
  }
  return runs;
}

await main(async () => {
  const options = parseOptions();
  await setUp({ purpose: 'test' });
  const todo = plan(options);
  const summary = new Summary();
  const scratch = mkdtempSync(path.join(os.tmpdir(), 'ioengine-run-'));
  process.chdir(root);
  try {
    if (todo.native) await runNative(summary);
    const runs = runsOf(todo, options, summary, scratch);
    const alone = options.jobs === 1 || runs.length === 1;
    const runNext = async () => {
      for (let next = runs.shift(); next !== undefined; next = runs.shift()) await next(alone);
    };
    await Promise.all(Array.from({ length: options.jobs }, runNext));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  const { passed, failed } = summary.print();
  if (failed > 0 || passed === 0) process.exitCode = 1;
});
