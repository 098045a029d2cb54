// Does the tarball work where nothing of the repository is? Packs it, installs it into an empty folder with no compiler
// in reach, with npm (two versions), pnpm and yarn (three ways), and runs README's first example on Node 20, 22, 24 and
// 26, on x64 and emulated on arm64. Then once more as npm installs it from git, with a compiler. Needs the npm registry
// for the package managers and the other Nodes; --only TEXT: installations whose name has this text.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { arm64Node, launcherFor } from './lib/foreign-systems.mjs';
import { majors, nodeBinary } from './lib/node-versions.mjs';
import { packageManagers } from './lib/package-managers.mjs';
import { inRoot, root } from './lib/paths.mjs';
import { main, PlainError, runCollecting, runQuietly, say } from './lib/run.mjs';
import { targets } from './lib/targets.mjs';

const MANAGER_NODE = 26;
const EXAMPLE_MS_MAX = 300_000;
const INSTALL_MS_MAX = 900_000;

/** The first example of README that imports something. It copies data.bin to copy.bin. */
function example() {
  const blocks = [...readFileSync(inRoot('README.md'), 'utf8').matchAll(/^```js\n(?<code>[\s\S]*?)^```$/gm)];
  const found = blocks.find(({ groups }) => groups.code.includes("from 'ioengine/fs'"));
  if (!found) throw new PlainError("README.md has no example that imports 'ioengine/fs'");
  return found.groups.code;
}

/** The same in CommonJS. */
const REQUIRES = `
const { pipeline } = require('node:stream/promises');
const fs = require('ioengine/fs');
const fsp = require('ioengine/fs/promises');
const { alignedBuffer, backend } = require('ioengine');
(async () => {
  const handle = await fs.open('data.bin', 'r');
  await handle.read(alignedBuffer(4096), 0, 4096, 0);
  await handle.close();
  await fsp.writeFile('config.json', '{}');
  await pipeline(fs.createReadStream('data.bin'), fs.createWriteStream('copy.bin', { direct: 'try' }));
  EPILOGUE
})();`;

const EPILOGUE = `
const { readFileSync } = await import('node:fs');
if (!readFileSync('data.bin').equals(readFileSync('copy.bin'))) throw new Error('the copy differs');
console.log(JSON.stringify({ backend: backend().name, arch: process.arch, version: process.versions.node }));`;

function writeProject(folder, settings = {}) {
  mkdirSync(folder, { recursive: true });
  const files = {
    'package.json': '{ "private": true }\n',
    'main.mjs': `${example()}${EPILOGUE}`,
    'main.cjs': REQUIRES.replace('EPILOGUE', EPILOGUE),
    'data.bin': 'some content\n'.repeat(20_000),
    ...settings,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
}

/** An environment with a node and a shell, and nothing that could compile. */
function bareEnvironment(folder, node) {
  const bin = path.join(folder, 'bin');
  mkdirSync(bin, { recursive: true });
  rmSync(path.join(bin, 'node'), { force: true });
  symlinkSync(node, path.join(bin, 'node'));
  const shell = path.join(bin, 'sh');
  rmSync(shell, { force: true });
  symlinkSync('/bin/sh', shell);
  const passed = Object.entries(process.env).filter(([name]) => /^(npm_config_|http|no_proxy|TMPDIR)/i.test(name));
  return { ...Object.fromEntries(passed), PATH: bin, HOME: folder };
}

const lastLine = (text) => text.trim().split('\n').at(-1);

/** Runs the example; what is wrong with what it prints. */
async function exampleProblem(command, folder, expected, env, name = 'main.mjs') {
  rmSync(path.join(folder, 'copy.bin'), { force: true });
  const [program, ...args] = command;
  const options = { cwd: folder, env, timeout_ms: EXAMPLE_MS_MAX };
  const { status, signal, output } = await runCollecting(program, [...args, name], options);
  if (status !== 0) return `ended with ${signal ?? status}: ${output.trim()}`;
  if (/warning/i.test(output)) return `said: ${output.trim()}`;
  const { backend, arch, version } = JSON.parse(lastLine(output));
  if (arch !== expected.arch || !version.startsWith(`${expected.major}.`)) return `ran on Node ${version}, ${arch}`;
  return expected.backends.includes(backend) ? undefined : `was served by ${backend}`;
}

const totals = { passed: 0, failed: 0, skipped: 0 };

function note(name, problem) {
  totals[problem === undefined ? 'passed' : 'failed'] += 1;
  console.log(`  ${problem === undefined ? '✓' : '✗'} ${name}${problem === undefined ? '' : `: ${problem}`}`);
}

function skipped(name, reason) {
  totals.skipped += 1;
  console.log(`  - ${name}: skipped, because ${reason}`);
}

async function runOnX64({ name, nodeArguments = [], program }, folder, env) {
  for (const major of majors) {
    const { binary, problem } = nodeBinary(major);
    const title = `${name}: Node ${major}`;
    if (problem) {
      skipped(title, problem);
      continue;
    }
    const expected = { arch: process.arch, major, backends: ['uring', 'aio', 'threads'] };
    note(title, await exampleProblem([binary, ...nodeArguments], folder, expected, env, program));
  }
}

/** Emulation has neither io_uring nor AIO. */
async function runOnArm64(name, folder, env) {
  const launcher = launcherFor(targets.find((target) => target.name === 'linux-arm64-glibc'));
  for (const major of majors) {
    const expected = { arch: 'arm64', major, backends: ['threads'] };
    const command = [...launcher, arm64Node(major)];
    note(`${name}: Node ${major} for arm64`, await exampleProblem(command, folder, expected, env));
  }
}

async function installWith(manager, tarball, top) {
  const folder = path.join(top, manager.name.replace(/\W+/g, '-'));
  writeProject(folder, manager.settings);
  const { binary, problem } = nodeBinary(MANAGER_NODE);
  if (problem) return skipped(manager.name, problem);
  const env = bareEnvironment(path.join(top, 'home'), manager.spec === undefined ? process.execPath : binary);
  const [program, ...args] = [...manager.command, ...manager.install(tarball)];
  const { status, signal, output } = await runCollecting(program, args, {
    cwd: folder,
    env,
    timeout_ms: INSTALL_MS_MAX,
  });
  if (status !== 0) return note(`${manager.name}: installs`, `ended with ${signal ?? status}: ${output.trim()}`);
  note(`${manager.name}: installs`);
  await runOnX64(manager, folder, env);
  if (manager.name === 'npm') await runOnArm64(manager.name, folder, env);
}

/** From a clone of what is committed, with the tools of this machine: npm runs `prepare`. */
async function installFromGit(top) {
  const folder = path.join(top, 'from-git');
  writeProject(folder);
  const clone = path.join(top, 'clone');
  const cloned = runQuietly('git', ['clone', '--quiet', '--no-hardlinks', root, clone]);
  if (cloned.status !== 0) return note('git: clones', cloned.stderr.trim());
  const args = ['install', '--no-audit', '--no-fund', `git+file://${clone}`];
  const { IOENGINE_SET_UP: _setUp, IOENGINE_ADDON: _addon, ...env } = process.env;
  const { status, output } = await runCollecting('npm', args, { cwd: folder, env, timeout_ms: INSTALL_MS_MAX });
  if (status !== 0) return note('git: installs', lastLine(output));
  note('git: installs');
  const expected = {
    arch: process.arch,
    major: Number(process.versions.node.split('.')[0]),
    backends: ['uring', 'aio', 'threads'],
  };
  note('git: the running Node', await exampleProblem([process.execPath], folder, expected, env));
}

/** The tarball that npm pack makes; its `prepack` builds and checks. */
function pack(top) {
  say('install-check: npm pack');
  const { status, stdout, stderr } = runQuietly('npm', [
    'pack',
    '--json',
    '--loglevel=error',
    '--pack-destination',
    top,
  ]);
  if (status !== 0) throw new PlainError(`npm pack failed: ${stderr.trim()}`);
  const parsed = JSON.parse(stdout.slice(stdout.search(/^[[{]/m)));
  const [{ filename, size, unpackedSize }] = Array.isArray(parsed) ? parsed : Object.values(parsed);
  console.log(`  ${filename}: ${Math.round(size / 1024)} KiB packed, ${Math.round(unpackedSize / 1024)} KiB unpacked`);
  cpSync(path.join(top, filename), path.join(top, 'ioengine.tgz'));
  return path.join(top, 'ioengine.tgz');
}

await main(async () => {
  const { values } = parseArgs({ options: { only: { type: 'string', default: '' } } });
  const top = mkdtempSync(path.join(os.tmpdir(), 'ioengine-install-'));
  try {
    const tarball = pack(top);
    const { binary = process.execPath } = nodeBinary(MANAGER_NODE);
    for (const manager of packageManagers(binary)) {
      if (manager.name.includes(values.only)) await installWith(manager, tarball, top);
    }
    if ('git'.includes(values.only)) await installFromGit(top);
  } finally {
    rmSync(top, { recursive: true, force: true });
  }
  console.log(`\n${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
  if (totals.failed > 0 || totals.passed === 0) process.exitCode = 1;
});
