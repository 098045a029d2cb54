// npm run test:asan: the suite on the sanitized addon. Options are those of npm test.
import { spawnSync } from 'node:child_process';
import { buildAsan } from './build-asan.mjs';
import { inRoot } from './lib/paths.mjs';
import { main, PlainError, runQuietly } from './lib/run.mjs';
import { setUp } from './setup.mjs';

await main(async () => {
  await setUp({ purpose: 'test' });
  await buildAsan();
  const runtime = runQuietly('gcc', ['-print-file-name=libasan.so']).stdout?.trim();
  if (!runtime?.includes('/')) throw new PlainError('libasan.so was not found: it comes with gcc');
  const env = {
    ...process.env,
    LD_PRELOAD: runtime,
    // Node itself never frees some memory at exit, so leaks are looked for by the tests themselves, not here.
    ASAN_OPTIONS: `detect_leaks=0:${process.env.ASAN_OPTIONS ?? ''}`,
    NODE_OPTIONS: `--require ${inRoot('scripts', 'asan-preload.cjs')} ${process.env.NODE_OPTIONS ?? ''}`.trim(),
    IOENGINE_TEST_SANITIZED: '1',
    // Sanitized code is several times slower.
    IOENGINE_TEST_DEADLINE_S: process.env.IOENGINE_TEST_DEADLINE_S ?? '1200',
  };
  const args = [inRoot('compat-tests', 'run.mjs'), ...process.argv.slice(2)];
  process.exitCode = spawnSync(process.execPath, args, { stdio: 'inherit', env }).status ?? 1;
});
