// npm run docs:api: writes docs/api/ from the public types and their comments, with typedoc.
//
//   npm run docs:api              installs typedoc beside itself (scripts/api-docs/) where it is missing, and writes
//   npm run docs:api -- --check   says whether docs/api/ is current, and writes nothing (no typedoc needed)
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { apiDocsFault, apiFolder, markLine } from './lib/api-docs.mjs';
import { inRoot } from './lib/paths.mjs';
import { main, PlainError, runLoudly, say } from './lib/run.mjs';
import { buildTypescript } from './lib/typescript-build.mjs';

const tools = inRoot('scripts', 'api-docs');
const typedoc = path.join(tools, 'node_modules', 'typedoc', 'bin', 'typedoc');

/** The pages, by what a program imports. */
const pages = { index: 'ioengine', fs: 'ioengine/fs', promises: 'ioengine/fs/promises' };

const README = `# API reference

${Object.entries(pages)
  .map(([page, name]) => `- [${name}](${page}.md)`)
  .join('\n')}

What these modules have besides is that of node:fs, with node's own types; [compatibility.md](../compatibility.md) says
who serves which name. \`ioengine/register\` exports nothing: [what it does](../guides/swap.md).

Written by \`npm run docs:api\` from the public types and their comments.
`;

function write() {
  if (!existsSync(typedoc)) runLoudly('npm', ['ci', '--no-audit', '--no-fund', '--prefix', tools]);
  rmSync(apiFolder, { recursive: true, force: true });
  const entries = Object.keys(pages).map((name) => inRoot('src', `${name}.ts`));
  const options = [
    '--plugin',
    'typedoc-plugin-markdown',
    '--router',
    'module',
    '--readme',
    'none',
    '--name',
    'ioengine',
  ];
  const left = ['--disableSources', '--excludeInternal', '--excludeExternals', '--hideBreadcrumbs', '--hidePageHeader'];
  const files = ['--tsconfig', inRoot('tsconfig.json'), '--out', apiFolder, ...entries];
  runLoudly(
    process.execPath,
    [
      typedoc,
      ...options,
      ...left,
      '--logLevel',
      'Warn',
      '--intentionallyNotExported',
      'OpenAsPromise',
      '--intentionallyNotExported',
      'Second',
      ...files,
    ],
    { cwd: tools },
  );
  for (const [page, name] of Object.entries(pages)) {
    const file = path.join(apiFolder, `${page}.md`);
    writeFileSync(file, readFileSync(file, 'utf8').replace(/^# .*/, `# ${name}`));
  }
  writeFileSync(path.join(apiFolder, 'README.md'), README);
  appendFileSync(path.join(apiFolder, 'README.md'), markLine());
  say('docs/api/ is written');
}

await main(() => {
  buildTypescript();
  if (!process.argv.includes('--check')) return write();
  const fault = apiDocsFault();
  if (fault !== undefined) throw new PlainError(`${fault}: run npm run docs:api`);
});
