// npm run mutants: makes each change of scripts/mutants/table.mjs in a copy of its file, below build-mutants/, runs the
// tests that the table names, and prints which of them turned red. A mutant that no test notices is a failure, so is
// one that no longer applies.
//
//   npm run mutants -- [NAME ...]      those with one of the texts in their name
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { buildFaults } from './build-faults.mjs';
import { buildNativeTests } from './build-native-tests.mjs';
import { faultsAddonFile, inRoot, root } from './lib/paths.mjs';
import { main, PlainError, runCollecting } from './lib/run.mjs';
import { mutants } from './mutants/table.mjs';
import { setUp } from './setup.mjs';

const folder = inRoot('build-mutants');
const inFolder = (...names) => path.join(folder, ...names);
// Of one program or one file of the suite; what hangs is red.
const timeout_ms = 400_000;

/** The file with the change in it. */
function mutated({ name, file, from, to }) {
  const text = readFileSync(inRoot(file), 'utf8');
  const count = text.split(from).length - 1;
  if (count !== 1) throw new PlainError(`"${name}" no longer applies: ${file} has its text ${count} times`);
  return text.replace(from, () => to);
}

const isNative = ({ file }) => file.endsWith('.cc');

/** One source is compiled again; all other objects are those of the builds that are there. */
function nativeChange(mutant) {
  const by = inFolder(mutant.file);
  mkdirSync(path.dirname(by), { recursive: true });
  writeFileSync(by, mutated(mutant));
  return { source: inRoot(mutant.file), by, folder };
}

/** A copy of what the JavaScript is made from, and of the suite, with the change in it. */
async function copyWith(mutant) {
  for (const name of ['src', 'scripts', 'compat-tests', 'package.json', 'package-lock.json', 'tsconfig.json']) {
    rmSync(inFolder('copy', name), { recursive: true, force: true });
    cpSync(inRoot(name), inFolder('copy', name), { recursive: true });
  }
  if (!existsSync(inFolder('copy', 'node_modules')))
    symlinkSync(inRoot('node_modules'), inFolder('copy', 'node_modules'));
  writeFileSync(inFolder('copy', mutant.file), mutated(mutant));
  const program = inFolder('copy', 'scripts', 'build-typescript.mjs');
  const { status, output } = await runCollecting(process.execPath, [program], { cwd: inFolder('copy') });
  if (status !== 0) throw new PlainError(output);
}

async function isRed(program, args, options) {
  const { status, output } = await runCollecting(program, args, { timeout_ms, ...options });
  if (process.env.IOENGINE_MUTANTS_VERBOSE === '1') console.log(output);
  return status !== 0;
}

/** The tests of `native`, by name. */
async function redPrograms({ native = [] }, change) {
  if (native.length === 0) return [];
  const programs = await buildNativeTests({ sanitize: 'none', only: native, change });
  const red = [];
  for (const { name, file } of programs) if (await isRed(file, [], {})) red.push(name);
  return red;
}

/** The files of the suite, or none, in this repository or in the copy. */
async function redFiles({ suite, env }, top, addon) {
  if (suite === undefined) return [];
  const options = {
    cwd: top,
    // What waits for something that does not come need not wait long.
    env: { ...process.env, IOENGINE_SET_UP: 'done', IOENGINE_TEST_PATIENCE_MS: '30000', IOENGINE_ADDON: addon, ...env },
  };
  const red = await isRed(process.execPath, [path.join(top, 'compat-tests', 'run.mjs'), ...suite], options);
  return red ? [suite.at(-1), ...Object.values(env ?? {})] : [];
}

async function judge(mutant) {
  if (!isNative(mutant)) {
    await copyWith(mutant);
    return redFiles(mutant, inFolder('copy'), faultsAddonFile);
  }
  const change = nativeChange(mutant);
  const red = await redPrograms(mutant, change);
  if (red.length > 0 || mutant.suite === undefined) return red;
  await buildFaults(change);
  return redFiles(mutant, root, inFolder('ioengine.node'));
}

/** The tests as things are. */
async function requireGreen(chosen) {
  const native = [...new Set(chosen.flatMap((mutant) => mutant.native ?? []))];
  const suites = new Map(chosen.map((mutant) => [JSON.stringify([mutant.suite, mutant.env]), mutant]));
  const red = await redPrograms({ native });
  for (const mutant of suites.values()) red.push(...(await redFiles(mutant, root, faultsAddonFile)));
  if (red.length > 0) throw new PlainError(`red without a mutant: ${red.join(', ')}`);
}

await main(async () => {
  const texts = process.argv.slice(2);
  const chosen = mutants.filter(({ name }) => texts.length === 0 || texts.some((text) => name.includes(text)));
  if (chosen.length === 0) throw new PlainError(`no mutant has ${texts.join(' or ')} in its name`);
  for (const mutant of mutants) mutated(mutant);
  await setUp({ purpose: 'test' });
  await buildFaults();
  await requireGreen(chosen);
  const missed = [];
  for (const mutant of chosen) {
    const started = Date.now();
    const red = await judge(mutant);
    if (red.length === 0) missed.push(mutant.name);
    const how = red.length > 0 ? `red: ${red.join(', ')}` : 'NOT NOTICED';
    console.log(`| ${mutant.name} | ${mutant.file} | ${how} | ${Math.round((Date.now() - started) / 1000)} s |`);
  }
  console.log(`\n${chosen.length - missed.length} of ${chosen.length} mutants turn a test red`);
  if (missed.length > 0) process.exitCode = 1;
});
