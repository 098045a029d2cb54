// npm run test:types: the types of the packed package, with skipLibCheck off, under every TypeScript from 5.0 to the
// newest and under the @types/node of every Node that is supported, in each way of resolving modules. Then attw and
// publint. Takes some minutes; what it needs comes from the npm registry, into a temporary folder. Arguments:
// beginnings of versions of TypeScript, as 5.0 or 7.
//
// Where a compiler does not take @types/node by itself, in a program that has nothing but node:fs, that combination is
// left out, and said to be.
import { cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { packAndInstall } from '../compat-tests/packed/support/install.mjs';
import { installInto } from './lib/node-versions.mjs';
import { inRoot } from './lib/paths.mjs';
import { inParallel, main, PlainError, runCollecting, say } from './lib/run.mjs';

const COMPILERS = [
  '5.0.4',
  '5.1.6',
  '5.2.2',
  '5.3.3',
  '5.4.5',
  '5.5.4',
  '5.6.3',
  '5.7.3',
  '5.8.3',
  '5.9.3',
  '6.0.3',
  '7.0.2',
];
const NODE_TYPES = ['20.19.43', '22.20.7', '24.19.4', '25.9.9', '26.6.7'];

/** The oldest and the newest: the others differ from these in nothing that a way of resolving could show. */
const ENDS = [NODE_TYPES[0], NODE_TYPES.at(-1)];

const major = (version) => Number(version.split('.')[0]);

/** Ways of resolving modules, with the files of the project that are for them. */
const MODES = [
  {
    name: 'nodenext',
    options: { module: 'nodenext', moduleResolution: 'nodenext' },
    files: ['esm.mts', 'common.cts', 'declared.mts', 'declared.cts'],
  },
  {
    name: 'bundler',
    options: { module: 'esnext', moduleResolution: 'bundler' },
    files: ['plain.ts', 'declared.ts'],
    fits: ({ types }) => ENDS.includes(types),
  },
  {
    name: 'node10',
    options: { module: 'commonjs', moduleResolution: 'node10', esModuleInterop: true },
    files: ['plain.ts', 'declared.ts'],
    // Since 6 it is deprecated, in 7 it is gone.
    fits: ({ types, compiler }) => ENDS.includes(types) && major(compiler) < 6,
  },
];

const CONFIG = {
  target: 'es2022',
  strict: true,
  skipLibCheck: false,
  types: ['node'],
  declaration: true,
  outDir: 'out',
};

/** Nothing but node's own types. */
const BASELINE = `
export * as fs from 'node:fs';
export * as fsp from 'node:fs/promises';
`;

function fetch(spec, folder) {
  const problem = installInto(spec, folder);
  if (problem) throw new PlainError(problem);
  return path.join(folder, 'node_modules');
}

/** A project for each version of @types/node, with ioengine in it. */
function makeProjects(packed, top) {
  return NODE_TYPES.map((version) => {
    const types = fetch(`@types/node@${version}`, path.join(top, `types-${version}`));
    const folder = path.join(top, `project-${version}`);
    cpSync(inRoot('compat-tests', 'packed', 'project'), folder, { recursive: true });
    cpSync(packed.installed, path.join(folder, 'node_modules', 'ioengine'), { recursive: true });
    mkdirSync(path.join(folder, 'node_modules', '@types'));
    symlinkSync(path.join(types, '@types', 'node'), path.join(folder, 'node_modules', '@types', 'node'));
    writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n');
    writeFileSync(path.join(folder, 'baseline.ts'), BASELINE);
    writeFileSync(path.join(folder, 'baseline.mts'), BASELINE);
    return { version, folder };
  });
}

/** What the compiler says of these files; nothing where they are right. */
async function compile(compiler, project, name, options, files) {
  const config = path.join(project.folder, `tsconfig.${compiler.version}.${name}.json`);
  const compilerOptions = { ...CONFIG, ...options, outDir: `out-${compiler.version}-${name}` };
  writeFileSync(config, JSON.stringify({ compilerOptions, files }));
  const args = [compiler.program, '--project', config];
  const { status, output } = await runCollecting(process.execPath, args, { cwd: project.folder });
  if (status === 0 && output.trim() === '') return '';
  return output.trim() || `ended with ${status}`;
}

class Report {
  totals = { passed: 0, failed: 0, skipped: 0 };

  add(kind, line) {
    this.totals[kind] += 1;
    console.log(`  ${{ passed: '✓', failed: '✗', skipped: '-' }[kind]} ${line}`);
  }
}

async function checkCombination({ compiler, project, mode }, report) {
  const title = `TypeScript ${compiler.version}, @types/node ${project.version}, ${mode.name}`;
  const said = await compile(compiler, project, mode.name, mode.options, mode.files);
  if (said === '') return report.add('passed', title);
  const baseline = mode.name === 'nodenext' ? 'baseline.mts' : 'baseline.ts';
  const problem = await compile(compiler, project, `${mode.name}.baseline`, mode.options, [baseline]);
  if (problem === '') return report.add('failed', `${title}:\n${said}`);
  const [line] = problem.split('\n');
  report.add('skipped', `${title}: skipped, because node's own types fail: ${line.slice(0, 150)}`);
}

async function checkPackage(packed, report) {
  const publint = [inRoot('node_modules', 'publint', 'src', 'cli.js'), 'run', packed.tarball, '--strict'];
  const attw = [inRoot('node_modules', '@arethetypeswrong', 'cli', 'dist', 'index.js'), packed.tarball];
  for (const [name, args, good] of [
    ['publint --strict', publint, 'All good!'],
    ['attw', attw, 'No problems found'],
  ]) {
    const { status, output } = await runCollecting(process.execPath, args);
    if (status === 0 && output.includes(good)) report.add('passed', name);
    else report.add('failed', `${name}:\n${output}`);
  }
}

await main(async () => {
  const chosen = process.argv.slice(2);
  const compilers = COMPILERS.filter((one) => chosen.length === 0 || chosen.some((start) => one.startsWith(start)));
  if (compilers.length === 0) throw new PlainError(`there is none of ${chosen.join(', ')}: ${COMPILERS.join(', ')}`);
  const packed = packAndInstall();
  const top = path.dirname(packed.folder);
  const report = new Report();
  try {
    await checkPackage(packed, report);
    say('fetching compilers and types');
    const projects = makeProjects(packed, top);
    for (const version of compilers) {
      const folder = path.join(top, `typescript-${version}`);
      const compiler = {
        version,
        program: path.join(fetch(`typescript@${version}`, folder), 'typescript', 'bin', 'tsc'),
      };
      const work = projects.flatMap((project) =>
        MODES.filter(({ fits = () => true }) => fits({ types: project.version, compiler: version })).map((mode) => ({
          compiler,
          project,
          mode,
        })),
      );
      await inParallel(work, os.availableParallelism(), (one) => checkCombination(one, report));
      rmSync(folder, { recursive: true });
    }
  } finally {
    packed.remove();
  }
  const { passed, failed, skipped } = report.totals;
  console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`);
  if (failed > 0 || passed === 0) process.exitCode = 1;
});
