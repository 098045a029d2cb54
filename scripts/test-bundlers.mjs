// npm run test:bundlers: the bundlers, test runners and loaders that npm can install, each with a program that uses
// ioengine and with no setting for it: it works on the engine, or ends at once with the line that says what to write
// (docs/bundlers.md). esbuild, rollup and webpack are in the suite (compat-tests/packed). Takes some minutes on Node
// 26, and fetches 700 MB into a temporary folder. Arguments: names of tools, of scripts/lib/tool-checks.mjs.
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { packAndInstall } from '../compat-tests/packed/support/install.mjs';
import { nodeBinary } from './lib/node-versions.mjs';
import { main, PlainError, runCollecting, say } from './lib/run.mjs';
import { tools } from './lib/tool-checks.mjs';

const NODE = 26;
const MS_MAX = 600_000;

/** The Node that everything runs on, in front of any other. */
function environment(folder) {
  const { binary, problem } = nodeBinary(NODE);
  if (problem) throw new PlainError(problem);
  const { IOENGINE_ADDON: _addon, IOENGINE_BACKEND: _backend, NODE_PATH: _path, ...inherited } = process.env;
  const bin = `${path.join(folder, 'node_modules', '.bin')}:${path.dirname(binary)}`;
  return { ...inherited, PATH: `${bin}:${inherited.PATH}`, CI: '1', NEXT_TELEMETRY_DISABLED: '1' };
}

async function install(specs, folder, env) {
  const args = ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error', ...specs];
  const { status, output } = await runCollecting('npm', args, { cwd: folder, env, timeout_ms: MS_MAX });
  if (status !== 0) throw new PlainError(`npm install failed: ${output.trim()}`);
}

async function check({ name, run }, place) {
  try {
    await run(place);
    console.log(`  ✓ ${name}`);
    return true;
  } catch (error) {
    console.log(`  ✗ ${name}: ${error.message}`);
    return false;
  }
}

await main(async () => {
  const chosen = process.argv.slice(2);
  const unknown = chosen.find((name) => !Object.hasOwn(tools, name));
  if (unknown) throw new PlainError(`no tool is named ${unknown}: ${Object.keys(tools).join(', ')}`);
  const names = chosen.length > 0 ? chosen : Object.keys(tools);
  const packed = packAndInstall();
  let passed = 0;
  let failed = 0;
  try {
    const env = environment(packed.folder);
    say(`fetching what ${names.join(', ')} need`);
    // In one go: npm removes what it was not told of.
    const specs = [packed.tarball, ...new Set(names.flatMap((name) => tools[name].packages))];
    await install(specs, packed.folder, env);
    const elsewhere = path.join(path.dirname(packed.folder), 'elsewhere');
    mkdirSync(elsewhere);
    for (const tool of names) {
      console.log(tool);
      for (const one of tools[tool].checks) {
        if (await check(one, { folder: packed.folder, elsewhere, env })) passed += 1;
        else failed += 1;
      }
    }
  } finally {
    packed.remove();
  }
  console.log(`\n${passed} passed, ${failed} failed, 0 skipped`);
  if (failed > 0 || passed === 0) process.exitCode = 1;
});
