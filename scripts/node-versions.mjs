// npm run test:nodes: the suite on Node 20, 22, 24 and 26, with the addon that the running Node has built.
//
//   node scripts/node-versions.mjs [--node 22,26] [--smoke] [options, files and folders of npm test ...]
//
// --smoke: every version but the running one, and only what differs between versions most. A version that cannot be
// fetched is a skip with its reason; with none at all the run fails.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { buildFaults } from './build-faults.mjs';
import { majors, nodeBinary, runningMajor } from './lib/node-versions.mjs';
import { filesBelow, inRoot, root } from './lib/paths.mjs';
import { main, PlainError } from './lib/run.mjs';
import { setUp } from './setup.mjs';

/** Names and descriptors, and the parity tests whose answers have differed between versions. */
const SMOKE = [
  'surface/names.test.mjs',
  'surface/table.test.mjs',
  'surface/file-handle.test.mjs',
  'surface/differences.test.mjs',
  'parity/read-file.test.mjs',
  'parity/write-file.test.mjs',
  'parity/handle-life.test.mjs',
];

function parseOptions() {
  const { values, positionals } = parseArgs({
    options: {
      node: { type: 'string' },
      smoke: { type: 'boolean', default: false },
      backend: { type: 'string', multiple: true, default: [] },
      grep: { type: 'string' },
      verbose: { type: 'boolean', default: false },
      jobs: { type: 'string' },
      retries: { type: 'string' },
    },
    allowPositionals: true,
  });
  const { smoke } = values;
  const chosen = values.node?.split(',').map(Number) ?? majors.filter((major) => !(smoke && major === runningMajor));
  for (const major of chosen) {
    if (!majors.includes(major)) throw new PlainError(`no version of Node ${major}: choose of ${majors.join(', ')}`);
  }
  const args = [...values.backend.flatMap((name) => ['--backend', name]), ...positionals];
  if (values.grep !== undefined) args.push('--grep', values.grep);
  if (values.jobs !== undefined) args.push('--jobs', values.jobs);
  if (values.retries !== undefined) args.push('--retries', values.retries);
  if (values.verbose) args.push('--verbose');
  return { smoke, chosen, args, files: positionals.length > 0 };
}

/** Folders of tests: named, so that the native tests are left out, which have nothing to do with Node. */
function everyFolder() {
  const folders = readdirSync(inRoot('compat-tests'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return folders
    .map(({ name }) => name)
    .filter((name) => filesBelow(inRoot('compat-tests', name), ['.test.mjs']).length);
}

/** The suite in a process of that Node. `npm` and what tests start by name stay those of the running one. */
function runOn(binary, { smoke, args, files }) {
  const chosen = smoke ? ['--backend', 'auto', ...SMOKE] : files ? [] : everyFolder();
  const command = [inRoot('compat-tests', 'run.mjs'), ...args, ...chosen];
  const env = { ...process.env, IOENGINE_SET_UP: 'done' };
  return spawnSync(binary, command, { cwd: root, env, stdio: 'inherit' }).status === 0;
}

await main(async () => {
  const options = parseOptions();
  await setUp({ purpose: 'test' });
  await buildFaults(); // as it is with the addon: the others run what this one has built
  const results = [];
  for (const major of options.chosen) {
    const found = nodeBinary(major);
    console.log(`\n===== Node ${found.version ?? major}`);
    if (found.problem) {
      console.log(`  - skipped, because ${found.problem}`);
      results.push([major, `SKIPPED, because ${found.problem}`]);
      continue;
    }
    results.push([found.version, runOn(found.binary, options) ? 'passed' : 'FAILED']);
  }
  console.log('\nNode versions');
  for (const [version, result] of results) console.log(`  ${version}: ${result}`);
  const ran = results.filter(([, result]) => !result.startsWith('SKIPPED'));
  if (ran.length === 0 || ran.some(([, result]) => result === 'FAILED')) process.exitCode = 1;
});
