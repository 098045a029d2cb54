// npm run test:kill: programs that write are killed (kill -9) hundreds of times, and what they had acknowledged has to
// be there (compat-tests/durability/kill.test.mjs is the short form).
//
//   npm run test:kill -- [--kills N] [--backend uring,aio,threads] [--seed N] [--seconds N] [--folder DIR]
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { killLog, killWriters } from '../compat-tests/durability/support/kills.mjs';
import { main, PlainError } from './lib/run.mjs';
import { setUp } from './setup.mjs';

await main(async () => {
  const { values } = parseArgs({
    options: {
      kills: { type: 'string', default: '200' },
      backend: { type: 'string', default: 'uring,aio,threads' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
      seconds: { type: 'string', default: '86400' },
      folder: { type: 'string', default: os.tmpdir() },
    },
  });
  const [kills, seed, seconds] = [values.kills, values.seed, values.seconds].map(Number);
  if (![kills, seed, seconds].every((value) => Number.isInteger(value) && value > 0)) {
    throw new PlainError('--kills, --seed and --seconds are whole numbers');
  }
  await setUp({ purpose: 'test' });
  const until = Date.now() + seconds * 1000;
  let lost = 0;
  for (const backend of values.backend.split(',')) {
    for (const [name, run] of Object.entries({ 'write-ahead log': killLog, 'every way to write': killWriters })) {
      const folder = mkdtempSync(path.join(values.folder, 'ioengine-kill-'));
      const result = await run({ folder, backend, seed, kills, until });
      rmSync(folder, { recursive: true });
      for (const text of result.faults.slice(0, 20)) console.log(`  ${text}`);
      lost += result.faults.length;
      const figures = `${result.kills} kills, ${result.acknowledged} acknowledged, ${result.faults.length} lost`;
      console.log(`${backend}, ${name}, seed ${seed}: ${figures}`);
    }
  }
  if (lost > 0) process.exitCode = 1;
});
