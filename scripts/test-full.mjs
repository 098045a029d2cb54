// npm run test:full: what takes too long for npm test, one after the other, each with its time. Those that draw seeds
// print them.
//
//   npm run test:full -- [--minutes N] [--only TEXT]      N minutes of simulation and three times N of soak, 5 if
//                                                         nothing is said
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { inRoot, root } from './lib/paths.mjs';
import { main, PlainError } from './lib/run.mjs';
import { setUp } from './setup.mjs';

/** Each a program of this repository with its arguments. */
const stepsOf = (minutes) => [
  {
    name: 'the n-th fault, all of them',
    args: ['compat-tests/run.mjs', '--jobs', '1', 'compat-tests/faults'],
    env: { IOENGINE_TEST_FULL: '1', IOENGINE_TEST_DEADLINE_S: '7200' },
  },
  ...['none', 'address'].map((sanitizer) => ({
    name: `the simulation, sanitizer ${sanitizer}`,
    args: ['scripts/native-tests.mjs', '--verbose', '--sanitize', sanitizer, 'simulation'],
    env: { IOENGINE_SIMULATION_SECONDS: String(minutes * 30) },
  })),
  {
    name: 'random steps, one file against its shadow, blocks at once',
    args: ['compat-tests/run.mjs', '--jobs', '1', '--without', 'auto', 'compat-tests/differential'],
    env: { IOENGINE_RUNS: '60', IOENGINE_TEST_DEADLINE_S: '7200' },
  },
  { name: 'power loss', args: ['scripts/power-loss.mjs', '--points', '2000'] },
  { name: 'kill and restart', args: ['scripts/kill-and-restart.mjs', '--kills', '200'] },
  { name: 'ways out', args: ['scripts/lifecycle.mjs', '--children', '1000'] },
  { name: 'soak', args: ['scripts/soak.mjs', '--minutes', String(minutes * 3)] },
];

function run({ name, args: [program, ...args], env }) {
  console.log(`\n== ${name}`);
  const started = Date.now();
  const command = [inRoot(program), ...args];
  const { status } = spawnSync(process.execPath, command, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  return { name, passed: status === 0, seconds: ((Date.now() - started) / 1000).toFixed(0) };
}

await main(async () => {
  const { values } = parseArgs({ options: { minutes: { type: 'string', default: '5' }, only: { type: 'string' } } });
  const minutes = Number(values.minutes);
  if (!(minutes > 0 && minutes <= 15)) throw new PlainError(`--minutes ${values.minutes}: from 1 to 15`);
  const steps = stepsOf(minutes).filter(({ name }) => name.includes(values.only ?? ''));
  if (steps.length === 0) throw new PlainError(`no step has ${JSON.stringify(values.only)} in its name`);
  await setUp({ purpose: 'test' });
  const results = steps.map(run);
  console.log('\nFull run');
  for (const { name, passed, seconds } of results) console.log(`  ${passed ? '✓' : '✗'} ${name} (${seconds} s)`);
  if (results.some(({ passed }) => !passed)) process.exitCode = 1;
});
