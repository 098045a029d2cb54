// npm run test:power-loss: the power fails at thousands of moments, and what was acknowledged as synced has to be there
// (compat-tests/durability/power-loss.test.mjs is the short form). Each recording has a seed of its own, which is
// printed.
//
//   npm run test:power-loss -- [--points N] [--filesystem ext4,xfs] [--backend uring,aio,threads] [--seed N]
//                              [--rounds N] [--seconds N]
import { parseArgs } from 'node:util';
import { losePower } from '../compat-tests/durability/support/power-loss.mjs';
import { main, PlainError } from './lib/run.mjs';
import { setUp } from './setup.mjs';

const RECORDING_POINTS = 500;

function parseOptions() {
  const { values } = parseArgs({
    options: {
      points: { type: 'string', default: '2000' },
      filesystem: { type: 'string', default: 'ext4,xfs' },
      backend: { type: 'string', default: 'uring,aio,threads' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
      rounds: { type: 'string', default: '25' },
      seconds: { type: 'string', default: '86400' },
    },
  });
  const numbers = Object.fromEntries(
    ['points', 'seed', 'rounds', 'seconds'].map((name) => [name, Number(values[name])]),
  );
  for (const [name, value] of Object.entries(numbers)) {
    if (!Number.isInteger(value) || value < 1) throw new PlainError(`--${name} ${values[name]}: not a whole number`);
  }
  return { ...numbers, filesystems: values.filesystem.split(','), backends: values.backend.split(',') };
}

/** As many recordings as the points take, until `deadline`. */
async function runPair(filesystem, backend, { points, seed, rounds }, deadline) {
  const sum = { points: 0, claims: 0, records: 0, flushes: 0, faults: [] };
  for (let number = seed; sum.points < points && Date.now() < deadline; number++) {
    const wanted = Math.min(RECORDING_POINTS, points - sum.points);
    const limitMs = deadline - Date.now();
    const result = await losePower({ filesystem, backend, rounds, seed: number, points: wanted, limitMs });
    if (result.skipped) throw new PlainError(`cannot be done here: ${result.skipped}`);
    for (const name of Object.keys(sum)) sum[name] = sum[name].concat?.(result[name]) ?? sum[name] + result[name];
    for (const text of result.faults.slice(0, 10)) console.log(`  ${filesystem} ${backend} --seed ${number}: ${text}`);
  }
  const { faults, ...figures } = sum;
  const counted = Object.entries(figures).map(([name, value]) => `${value} ${name}`);
  console.log(`${filesystem} ${backend} from seed ${seed}: ${counted.join(', ')}, ${faults.length} lost`);
  return sum;
}

await main(async () => {
  const options = parseOptions();
  await setUp({ purpose: 'test' });
  const deadline = Date.now() + options.seconds * 1000;
  let lost = 0;
  let short = 0;
  for (const filesystem of options.filesystems) {
    for (const backend of options.backends) {
      const { faults, points } = await runPair(filesystem, backend, options, deadline);
      lost += faults.length;
      if (points < options.points) short += 1;
    }
  }
  if (short > 0) console.log(`${short} of the pairs have fewer points than asked for: no time was left`);
  if (lost > 0) process.exitCode = 1;
});
