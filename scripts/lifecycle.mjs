// npm run test:lifecycle: a thousand children that go in every way at every stage of their work
// (compat-tests/lifecycle/ways-out.test.mjs is the short form).
//
//   npm run test:lifecycle -- [--children N] [--backend uring,aio,threads] [--node FILE] [--seed N] [--seconds N]
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { leave, matrix } from '../compat-tests/lifecycle/support/ways-out.mjs';
import { main, PlainError } from './lib/run.mjs';
import { setUp } from './setup.mjs';

await main(async () => {
  const { values } = parseArgs({
    options: {
      children: { type: 'string', default: '1000' },
      backend: { type: 'string', default: 'uring,aio,threads' },
      node: { type: 'string', default: process.execPath },
      seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
      seconds: { type: 'string', default: '86400' },
    },
  });
  const [children, seed, seconds] = [values.children, values.seed, values.seconds].map(Number);
  if (![children, seed, seconds].every((value) => Number.isInteger(value) && value > 0)) {
    throw new PlainError('--children, --seed and --seconds are whole numbers');
  }
  await setUp({ purpose: 'test' });
  const backends = values.backend.split(',');
  const folder = mkdtempSync(path.join(os.tmpdir(), 'ioengine-ways-out-'));
  const file = path.join(folder, 'file');
  writeFileSync(file, Buffer.alloc(256 * 1024, 7));
  const until = Date.now() + seconds * 1000;
  const faults = [];
  let done = 0;
  const lane = async (first) => {
    for (let i = first; i < children && Date.now() < until; i += 4) {
      const backend = backends[i % backends.length];
      const fault = await leave(matrix[i % matrix.length], { file, seed: seed + i, backend, node: values.node });
      if (fault !== undefined) faults.push(`${backend}: ${fault}`);
      done += 1;
    }
  };
  await Promise.all([0, 1, 2, 3].map(lane));
  rmSync(folder, { recursive: true, force: true });
  for (const text of faults.slice(0, 20)) console.log(`  ${text}`);
  console.log(`${done} children from seed ${seed}, ${matrix.length} ways and stages: ${faults.length} went wrong`);
  if (faults.length > 0) process.exitCode = 1;
});
