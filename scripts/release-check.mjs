// npm run release:check: all that has to hold before a release, once, on a Debian 12 machine. Takes more than an hour.
// Names as arguments: these steps only.
import { parseArgs } from 'node:util';
import { main, PlainError, runLoudly } from './lib/run.mjs';
import { prebuildFile } from './lib/prebuilds.mjs';
import { targets } from './lib/targets.mjs';

const node = (...args) => [process.execPath, ...args];
const npm = (...args) => ['npm', 'run', '--silent', ...args];
const x64 = prebuildFile(targets[0]);

/** Each: its name, what it runs, and variables for that. */
const STEPS = [
  ['set-up', node('scripts/setup.mjs', '--for', 'ci')],
  ['format', npm('format:check', '--', '--strict')],
  ['lint', npm('lint')],
  ['types', npm('typecheck')],
  ['package-types', node('scripts/test-types.mjs')],
  ['bundlers', node('scripts/test-bundlers.mjs')],
  ['prebuild', node('scripts/prebuild.mjs')],
  ['prebuild-check', node('scripts/prebuild-check.mjs')],
  ['install', node('scripts/install-check.mjs')],
  ['suite', node('compat-tests/run.mjs'), { IOENGINE_ADDON: x64 }],
];

await main(() => {
  const { positionals } = parseArgs({ allowPositionals: true });
  const names = STEPS.map(([name]) => name);
  const unknown = positionals.find((name) => !names.includes(name));
  if (unknown) throw new PlainError(`no step is named ${unknown}: ${names.join(', ')}`);
  for (const [name, [program, ...args], env = {}] of STEPS) {
    if (positionals.length > 0 && !positionals.includes(name)) continue;
    console.log(`\n== ${name}`);
    runLoudly(program, args, { env: { ...process.env, ...env }, stdio: 'inherit' });
  }
  console.log('\nready to be released');
});
