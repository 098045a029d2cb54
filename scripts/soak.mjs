// npm run soak: every kind of work at once for as long as it is told to, on one engine and its Workers. Every second
// it looks at memory, descriptors, threads, calls in flight and the delay of timers and sockets. What grows without
// end, or is late, fails it.
//
//   npm run soak -- [--minutes N] [--backend uring,aio,threads] [--seed N] [--folder DIR] [--node FILE]
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { inRoot, root } from './lib/paths.mjs';
import { main, PlainError } from './lib/run.mjs';
import { setUp } from './setup.mjs';

await main(async () => {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '10' },
      backend: { type: 'string', default: 'uring,aio,threads' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
      folder: { type: 'string', default: os.tmpdir() },
      node: { type: 'string', default: process.execPath },
    },
  });
  const minutes = Number(values.minutes);
  if (!(minutes > 0)) throw new PlainError(`--minutes ${values.minutes}: not a number of minutes`);
  await setUp({ purpose: 'test' });
  const backends = values.backend.split(',');
  const program = inRoot('compat-tests', 'soak', 'support', 'soak-child.mjs');
  for (const backend of backends) {
    const folder = mkdtempSync(path.join(values.folder, 'ioengine-soak-'));
    const seconds = Math.max(1, Math.round((minutes * 60) / backends.length));
    const { status, signal } = spawnSync(values.node, ['--expose-gc', program, folder, String(seconds), values.seed], {
      cwd: root,
      stdio: 'inherit',
      env: { ...process.env, IOENGINE_BACKEND: backend },
    });
    rmSync(folder, { recursive: true, force: true });
    if (status !== 0) {
      console.log(`✗ ${backend}, seed ${values.seed}: ${signal ?? `status ${status}`}`);
      process.exitCode = 1;
    }
  }
});
