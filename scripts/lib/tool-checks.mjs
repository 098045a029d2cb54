// What npm run test:bundlers does with each tool: the packages that it needs, each of one version, and checks, which
// throw what was wrong. A check gets the project in which ioengine and the tools are installed, a folder in which
// nothing is, and the environment.
import { copyFileSync, cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { startNext } from './next-project.mjs';
import { runCollecting } from './run.mjs';

const MS_MAX = 300_000;

const WORK = `
async function work() {
  const file = fs.mkdtempSync('/tmp/ioengine-tool-') + '/file';
  await fsp.writeFile(file, 'content');
  const text = await fsp.readFile(file, 'utf8');
  await fsp.rm(file.slice(0, -5), { recursive: true });
  const { inline, uring, aio, threads } = engine.stats().lanes;
  const served = [inline, uring, aio, threads].reduce((sum, { operations }) => sum + operations, 0);
  return text + ' ' + engine.backend().name + ' ' + (served > 2);
}
`;

const IMPORTS = `
import fs from 'ioengine/fs';
import fsp from 'ioengine/fs/promises';
import * as engine from 'ioengine';
${WORK}`;

const REQUIRES = `
const fs = require('ioengine/fs');
const fsp = require('ioengine/fs/promises');
const engine = require('ioengine');
${WORK}`;

const SAYS = 'work().then((line) => console.log(line));\n';
const EXPECTED = /^content (uring|aio|threads) true$/m;

function write(folder, files) {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), text);
  }
}

/** Runs to a good end; what was printed. */
async function succeed([program, ...args], { folder: cwd, env }) {
  const { status, signal, output } = await runCollecting(program, args, { cwd, env, timeout_ms: MS_MAX });
  if (status !== 0) throw new Error(`${[program, ...args].join(' ')} ended with ${signal ?? status}:\n${output}`);
  return output;
}

async function expectOnEngine(command, place) {
  const output = await succeed(command, place);
  if (!EXPECTED.test(output) || /warning/i.test(output)) throw new Error(`${command.join(' ')} said:\n${output}`);
}

/** Ends, and says what to write. */
async function expectClearLine([program, ...args], { env }, cwd) {
  const { status, output } = await runCollecting(program, args, { cwd, env, timeout_ms: MS_MAX });
  const lines = output.split('\n').filter((line) => /^(Uncaught )?Error: /.test(line));
  const isClear = lines.length === 1 && lines[0].includes("external: ['ioengine']");
  if (status !== 1 || !isClear)
    throw new Error(`${args.join(' ')} ended with ${status}, without that line:\n${output}`);
}

/** Builds, runs what came of it in the project, then a copy of it where nothing is installed. */
const bundled = (name, files, build, output) => ({
  name,
  async run(place) {
    write(place.folder, files);
    await succeed(build, place);
    await expectOnEngine(['node', output], place);
    const copy = path.join(place.elsewhere, path.basename(output));
    copyFileSync(path.join(place.folder, output), copy);
    await expectClearLine(['node', copy], place, place.elsewhere);
  },
});

const MAIN = { 'main.mjs': IMPORTS + SAYS, 'main.cjs': REQUIRES + SAYS };

const ncc = ['mjs', 'cjs'].map((kind) =>
  bundled(`main.${kind}`, MAIN, ['ncc', 'build', `main.${kind}`, '-o', `ncc-${kind}`], `ncc-${kind}/index.${kind}`),
);

const rolldown = ['mjs', 'cjs'].flatMap((kind) =>
  ['esm', 'cjs'].map((format) => {
    const output = `rolldown-${kind}/out.${format === 'esm' ? 'mjs' : 'cjs'}`;
    const build = ['rolldown', `main.${kind}`, '--platform', 'node', '--format', format, '--file', output];
    return bundled(`main.${kind} as ${format}`, MAIN, build, output);
  }),
);

const VITE = {
  ...MAIN,
  'vite.config.mjs': 'export default { ssr: { noExternal: process.env.ALL_IN === "1" ? true : undefined } };\n',
};
const vite = [
  bundled(
    'build --ssr with noExternal',
    VITE,
    ['env', 'ALL_IN=1', 'vite', 'build', '--ssr', 'main.mjs', '--outDir', 'vite-all'],
    'vite-all/main.mjs',
  ),
  {
    name: 'build --ssr leaves it out by itself',
    async run(place) {
      write(place.folder, VITE);
      await succeed(['vite', 'build', '--ssr', 'main.mjs', '--outDir', 'vite-ssr'], place);
      await expectOnEngine(['node', 'vite-ssr/main.mjs'], place);
    },
  },
];

/** A program that holds Node and a bundle, as Node's documentation makes one. */
const sea = {
  name: 'esbuild, then postject',
  async run(place) {
    const blob = 'sea-prep.blob';
    write(place.folder, {
      ...MAIN,
      'sea.json': JSON.stringify({ main: 'sea-main.cjs', output: blob, disableExperimentalSEAWarning: true }),
    });
    const options = ['--bundle', '--platform=node', '--format=cjs', '--outfile=sea-main.cjs', '--log-level=warning'];
    await succeed(['esbuild', 'main.mjs', ...options], place);
    await succeed(['node', '--experimental-sea-config', 'sea.json'], place);
    await succeed(['sh', '-c', 'cp "$(command -v node)" sea-program && chmod u+w sea-program'], place);
    const fuse = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';
    await succeed(['postject', 'sea-program', 'NODE_SEA_BLOB', blob, '--sentinel-fuse', fuse], place);
    const program = path.join(place.folder, 'sea-program');
    await expectOnEngine([program], place);
    const copy = path.join(place.elsewhere, 'sea-program');
    copyFileSync(program, copy);
    await expectClearLine([copy], place, place.elsewhere);
  },
};

const IS_SERVED = `if (!${EXPECTED}.test(line)) throw new Error(line);`;

const jest = ['', '--runInBand', '--detectOpenHandles'].map((option) => ({
  name: `jest ${option}`.trim(),
  async run(place) {
    const body = `test('is served', async () => { const line = await work(); ${IS_SERVED} });\n`;
    write(place.folder, { 'jest/one.test.js': REQUIRES + body, 'jest/two.test.js': REQUIRES + body });
    const output = await succeed(['jest', '--rootDir', 'jest', ...option.split(' ').filter(Boolean)], place);
    if (!/Tests:\s+2 passed/.test(output) || /open handle/.test(output)) throw new Error(output);
  },
}));

const vitest = ['threads', 'forks', 'vmThreads', 'vmForks'].flatMap((pool) =>
  [false, true].map((inline) => ({
    name: `--pool ${pool}${inline ? ', with ioengine inline' : ''}`,
    async run(place) {
      const config = { test: { include: ['*.spec.mjs'], server: inline ? { deps: { inline: ['ioengine'] } } : {} } };
      const body = `test('is served', async () => { const line = await work(); ${IS_SERVED} });\n`;
      const imports = `import { test } from 'vitest';${IMPORTS}`;
      write(place.folder, {
        'vitest/vitest.config.mjs': `export default ${JSON.stringify(config)};\n`,
        'vitest/one.spec.mjs': imports + body,
        'vitest/two.spec.mjs': imports + body,
      });
      const output = await succeed(['vitest', 'run', '--root', 'vitest', '--pool', pool], place);
      if (!/Tests\s+.*2 passed/.test(output) || /IOENGINE_/.test(output)) throw new Error(output);
    },
  })),
);

const tsx = ['tsx', 'node --import tsx'].flatMap((command) =>
  ['mts', 'cts'].map((kind) => ({
    name: `${command} main.${kind}`,
    async run(place) {
      write(place.folder, { [`typed.${kind}`]: (kind === 'mts' ? IMPORTS : REQUIRES) + SAYS });
      await expectOnEngine([...command.split(' '), `typed.${kind}`], place);
    },
  })),
);

/** What Next.js, Vercel and serverless tools copy: the files that are found to be needed. */
const trace = ['only-fs', 'only-promises', 'only-register', 'main.cjs'].map((name) => ({
  name: `the files that ${name} needs`,
  async run(place) {
    const only = "console.log((await fsp.readFile('/proc/version', 'utf8')).slice(0, 5));\n";
    write(place.folder, {
      ...MAIN,
      'only-fs.mjs': `import fs from 'ioengine/fs';\nconst fsp = fs.promises;\n${only}`,
      'only-promises.mjs': `import fsp from 'ioengine/fs/promises';\n${only}`,
      'only-register.mjs': `import 'ioengine/register';\nimport fsp from 'node:fs/promises';\n${only}`,
      'trace.mjs': `
        import { nodeFileTrace } from '@vercel/nft';
        const { fileList } = await nodeFileTrace([process.argv[2]]);
        console.log(JSON.stringify([...fileList]));`,
    });
    const program = name.includes('.') ? name : `${name}.mjs`;
    const files = JSON.parse(await succeed(['node', 'trace.mjs', program], place));
    const binaries = readdirSync(path.join(place.folder, 'node_modules', 'ioengine', 'prebuilds'));
    const found = files.filter((file) => file.endsWith('/ioengine.node')).length;
    const lacking = binaries.filter((target) => target.startsWith('linux-')).length - found;
    if (lacking !== 0) throw new Error(`${lacking} of the binaries are not found`);
    const copy = path.join(place.elsewhere, `traced-${name}`);
    for (const file of files) cpSync(path.join(place.folder, file), path.join(copy, file));
    // A backend by name: without the engine the import would fail.
    const env = { ...place.env, IOENGINE_BACKEND: 'threads' };
    const output = await succeed(['node', program], { folder: copy, env });
    if (!/^(Linux|content threads true)\n$/.test(output)) throw new Error(output);
  },
}));

const next = ['bundled', 'external'].flatMap((way) =>
  ['turbopack', 'webpack'].map((bundler) => ({
    name: `${bundler}, ${way}, output standalone`,
    async run(place) {
      const handler = `${IMPORTS}
export const dynamic = 'force-dynamic';
export async function GET() { return new Response(await work()); }
`;
      const line = await startNext({ ...place, way, bundler, handler });
      if (!EXPECTED.test(line)) throw new Error(line);
    },
  })),
);

/** By name, as an argument has it. */
export const tools = {
  ncc: { packages: ['@vercel/ncc@0.45.0'], checks: ncc },
  rolldown: { packages: ['rolldown@1.3.3'], checks: rolldown },
  vite: { packages: ['vite@8.4.0'], checks: vite },
  sea: { packages: ['esbuild@0.28.2', 'postject@1.0.0-alpha.6'], checks: [sea] },
  jest: { packages: ['jest@30.5.2'], checks: jest },
  vitest: { packages: ['vitest@5.1.2'], checks: vitest },
  tsx: { packages: ['tsx@4.23.15'], checks: tsx },
  trace: { packages: ['@vercel/nft@1.11.5'], checks: trace },
  next: { packages: ['next@16.4.6', 'react@19.3.1', 'react-dom@19.3.1'], checks: next },
};
