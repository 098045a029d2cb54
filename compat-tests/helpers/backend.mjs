// The backend axis of the suite: which backend this run is about, how a test is skipped, and the proof that
// the named backend really did the work. Loaded into every mocha run as a root hook plugin.
import { writeFileSync } from 'node:fs';

// A run that is ended from outside takes down what it has made as well: children, mounts, temporary folders. `on`, not
// `once`: a second signal, forwarded by the runner, must not interrupt that.
process.on('SIGTERM', () => process.exit(143));

/** What this run was started with: uring, aio, threads or auto. */
export const backendUnderTest = process.env.IOENGINE_BACKEND ?? 'auto';

// Meant for this process only: a mocha that a test starts must not write into the files of this run.
const lanesFile = process.env.IOENGINE_TEST_LANES_FILE;
const isCompleteRun = process.env.IOENGINE_TEST_COMPLETE === '1';
delete process.env.IOENGINE_TEST_LANES_FILE;
delete process.env.IOENGINE_TEST_COMPLETE;

/**
 * Skips the running test (or, from a before hook, its suite) and says why; the reporter fails a skip without a reason.
 *
 *   it('…', function () { if (!isRoot) skip(this, 'because mounting needs root'); … })
 *
 * @param {import('mocha').Context} context mocha's `this`
 * @param {string} because the reason, as it follows the word "skipped, "
 */
export function skip(context, because) {
  const reason = String(because ?? '')
    .trim()
    .replace(/^(skipped,?\s+)?(because\s+)?/, '');
  if (reason === '') throw new TypeError('skip() needs the reason');
  const text = `because ${reason}`;
  const runnable = context.test;
  const holder = runnable.type === 'hook' ? (context.currentTest ?? runnable.parent) : runnable;
  holder.skipReason = text;
  // A before hook skips every test of its suite, and mocha sets currentTest there too.
  if (runnable.type === 'hook' && /"before all" hook/.test(runnable.title)) runnable.parent.skipReason = text;
  context.skip();
}

const kernelBackends = ['uring', 'aio'];
const engineLanes = ['uring', 'aio', 'threads'];

/**
 * What is wrong with the counters of a whole run of the suite on one backend; empty when the axis really varied.
 * The inline lane does not count: it serves cached reads without asking any backend.
 */
export function axisFaults(wanted, chosen, lanes) {
  const faults = [];
  const operations = (lane) => lanes[lane]?.operations ?? 0;
  if (wanted !== 'auto' && chosen !== wanted) faults.push(`backend() is ${chosen}, but ${wanted} was asked for`);
  if (engineLanes.includes(chosen) && !(operations(chosen) > 0)) {
    faults.push(`the ${chosen} lane served no operation in the whole run`);
  }
  for (const other of kernelBackends) {
    if (other !== chosen && operations(other) !== 0) {
      faults.push(`the ${other} lane served ${operations(other)} operations in a run on ${chosen}`);
    }
  }
  return faults;
}

export const mochaHooks = {
  async afterAll() {
    if (!lanesFile) return;
    const { backend, stats } = await import('ioengine');
    const { name, forced, reason } = backend();
    const { lanes, inFlight, queued, fallbacks } = stats();
    writeFileSync(lanesFile, JSON.stringify({ name, forced, reason, lanes, inFlight, queued, fallbacks }));
    // A selection of tests (--grep, files) may rightly never reach the backend.
    if (!isCompleteRun) return;
    const faults = axisFaults(backendUnderTest, name, lanes);
    if (faults.length > 0) throw new Error(`the backend axis does not vary: ${faults.join('; ')}`);
  },
};
