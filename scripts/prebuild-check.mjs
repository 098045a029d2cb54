// npm run prebuild:check: are the binaries of npm run prebuild what the package promises, and do they run? Takes an
// hour, and fetches Debian's musl and arm64 libraries, qemu and a Node for arm64. Arguments: names of checks.
//
//   facts         floor of glibc, libraries, symbols, stripped, of every target
//   musl-symbols  each symbol of the musl binaries is one of N-API, libuv or musl 1.2.3
//   musl          the native tests, with Debian's musl
//   arm64         the native tests, emulated
//   suite         parts of the suite on Node for arm64, emulated: there is no io_uring and no AIO, so on threads
//   reproducible  built once more from nothing: the same bytes
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { factsOf } from './lib/binary-facts.mjs';
import { arm64Node, launcherFor, muslFile } from './lib/foreign-systems.mjs';
import { problemsOfBinary, symbolsOfTheSystem } from './lib/package-check.mjs';
import { inRoot } from './lib/paths.mjs';
import { buildFromNothing, buildNativeTestsFor, buildPrebuilds, prebuildFile } from './lib/prebuilds.mjs';
import { main, PlainError, runCollecting } from './lib/run.mjs';
import { targets } from './lib/targets.mjs';
import { runPrograms } from './native-tests.mjs';

const targetNamed = (name) => targets.find((target) => target.name === name);

/** What the emulated suite runs: test files that start no process, which would be one for another machine. */
const EMULATED = ['access', 'handle-io', 'path-changes', 'read', 'readdir', 'rm', 'stat', 'vectored', 'write'];
const EMULATED_MS_MAX = 1_800_000;

class Report {
  totals = { passed: 0, failed: 0, skipped: 0 };

  add(name, problems) {
    this.totals[problems.length === 0 ? 'passed' : 'failed'] += 1;
    console.log(`  ${problems.length === 0 ? '✓' : '✗'} ${name}${problems.map((line) => `\n      ${line}`).join('')}`);
  }

  addAll(totals) {
    for (const kind of Object.keys(totals)) this.totals[kind] += totals[kind];
  }
}

function checkFacts(report) {
  for (const target of targets) report.add(`facts: ${target.name}`, problemsOfBinary(target, prebuildFile(target)));
}

function checkMuslSymbols(report) {
  for (const target of targets.filter(({ libc }) => libc === 'musl')) {
    const musl = new Set(factsOf(muslFile(target.arch)).defined);
    const lacking = symbolsOfTheSystem(factsOf(prebuildFile(target))).filter(
      ({ name, isWeak }) => !isWeak && !musl.has(name),
    );
    const problems = lacking.map(({ name }) => `musl 1.2.3 has no ${name}`);
    report.add(`musl-symbols: ${target.name}`, musl.size > 1000 ? problems : ['the symbols of musl cannot be read']);
  }
}

async function checkNativeTests(report, target) {
  console.log(`  native tests for ${target.name}`);
  const programs = await buildNativeTestsFor(target);
  report.addAll(await runPrograms(programs, { launcher: launcherFor(target) }));
}

async function checkSuite(report) {
  const target = targetNamed('linux-arm64-glibc');
  const [program, ...before] = launcherFor(target);
  const mocha = ['--expose-gc', inRoot('node_modules', 'mocha', 'bin', 'mocha.js')];
  const files = EMULATED.map((name) => inRoot('compat-tests', 'parity', `${name}.test.mjs`));
  const args = [...before, arm64Node(26), ...mocha, '--config', inRoot('compat-tests', '.mocharc.cjs'), ...files];
  const env = { ...process.env, IOENGINE_ADDON: prebuildFile(target), IOENGINE_BACKEND: 'threads' };
  const { status, signal, output } = await runCollecting(program, args, { env, timeout_ms: EMULATED_MS_MAX });
  console.log(output.trimEnd());
  report.add('suite: Node 26 for arm64 on threads', status === 0 ? [] : [`ended with ${signal ?? status}`]);
}

async function checkReproducible(report) {
  for (const target of targets) {
    const folder = mkdtempSync(inRoot('.tools', 'again-'));
    try {
      const again = readFileSync(await buildFromNothing(target, folder));
      const isSame = again.equals(readFileSync(prebuildFile(target)));
      report.add(`reproducible: ${target.name}`, isSame ? [] : ['built again it has other bytes']);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
}

const checks = {
  facts: checkFacts,
  'musl-symbols': checkMuslSymbols,
  musl: (report) => checkNativeTests(report, targetNamed('linux-x64-musl')),
  arm64: (report) => checkNativeTests(report, targetNamed('linux-arm64-glibc')),
  suite: checkSuite,
  reproducible: checkReproducible,
};

await main(async () => {
  const chosen = process.argv.slice(2);
  const unknown = chosen.find((name) => !Object.hasOwn(checks, name));
  if (unknown) throw new PlainError(`no check is named ${unknown}: ${Object.keys(checks).join(', ')}`);
  await buildPrebuilds();
  const report = new Report();
  for (const [name, check] of Object.entries(checks)) {
    if (chosen.length > 0 && !chosen.includes(name)) continue;
    try {
      await check(report);
    } catch (error) {
      if (!(error instanceof PlainError)) throw error;
      report.add(name, [error.message]);
    }
  }
  const { passed, failed, skipped } = report.totals;
  console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`);
  if (failed > 0 || passed === 0) process.exitCode = 1;
});
