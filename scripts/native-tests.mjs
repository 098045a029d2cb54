// Builds and runs the native tests: a line each, then the totals. A program returns 0 for passed, 77 for skipped
// (its last line of output is the reason), anything else for failed.
//
//   node scripts/native-tests.mjs [--sanitize none|address|thread] [--seed N] [--verbose] [NAME ...]
//
// --seed: of the simulation, that one alone. --verbose: what programs say although they pass.
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildNativeTests } from './build-native-tests.mjs';
import { main, runCollecting } from './lib/run.mjs';

const skipCode = 77;
// Far more than any of them takes: a program that hangs is meant. ThreadSanitizer makes them twenty times slower.
const timeout_ms = 600_000;

const indent = (text) => text.trimEnd().replace(/^(?=.)/gm, '      ');
const lastLine = (text) => text.trim().split('\n').at(-1).trim();

async function runOne({ name, file }, { launcher = [], verbose = false, env = {} }, totals) {
  const started = process.hrtime.bigint();
  const [program, ...args] = [...launcher, file];
  const result = await runCollecting(program, args, { timeout_ms, env: { ...process.env, ...env } });
  const spent = `${Number((process.hrtime.bigint() - started) / 1_000_000n)} ms`;
  if (result.status === 0) {
    totals.passed += 1;
    console.log(`  ✓ ${name} (${spent})`);
    if (verbose && result.output.trim()) console.log(indent(result.output));
  } else if (result.status === skipCode && result.output.trim()) {
    totals.skipped += 1;
    console.log(`  - ${name}: skipped, because ${lastLine(result.output).replace(/^(skipped, )?because /, '')}`);
  } else {
    totals.failed += 1;
    const how = result.timedOut ? `no end after ${timeout_ms} ms` : `ended with ${result.signal ?? result.status}`;
    const what = result.status === skipCode ? 'skipped without a reason' : how;
    console.log(`  ✗ ${name}: ${what} (${spent})\n${indent(result.output)}`);
  }
}

/**
 * Runs programs one after the other (several measure time) and returns { passed, failed, skipped }. `launcher`: what
 * runs those that are for another system.
 */
export async function runPrograms(programs, { only = [], ...how } = {}) {
  const totals = { passed: 0, failed: 0, skipped: 0 };
  for (const program of programs) {
    if (only.length === 0 || only.some((part) => program.name.includes(part))) await runOne(program, how, totals);
  }
  return totals;
}

export const runNativeTests = async ({ sanitize = 'address', only = [], ...how } = {}) =>
  runPrograms(await buildNativeTests({ sanitize, only }), { only, ...how });

async function runAsProgram() {
  const { values, positionals } = parseArgs({
    options: {
      sanitize: { type: 'string', default: 'address' },
      seed: { type: 'string' },
      verbose: { type: 'boolean', default: false },
    },
    allowPositionals: true,
  });
  const env = values.seed === undefined ? {} : { IOENGINE_SIMULATION_SEED: values.seed };
  const { sanitize, verbose } = values;
  const { passed, failed, skipped } = await runNativeTests({ sanitize, only: positionals, verbose, env });
  console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`);
  if (failed > 0 || passed + skipped === 0) process.exitCode = 1;
}

if (realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) await main(runAsProgram);
