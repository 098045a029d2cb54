// Writes the tables of names in docs/compatibility.md from src/surface.ts. --check writes nothing, compares with what
// has been built, and fails when they are not current.
import { createRequire } from 'node:module';
import { table, withSection, writeGenerated } from './lib/generated.mjs';
import { inRoot } from './lib/paths.mjs';
import { main } from './lib/run.mjs';
import { buildTypescript } from './lib/typescript-build.mjs';

const servers = { engine: 'the engine', node: '`node:fs`', value: '–' };

const rows = (list) =>
  list.map(({ names, server, reason }) => [names.map((name) => `\`${name}\``).join(' '), servers[server], reason]);

await main(() => {
  const check = process.argv.includes('--check');
  if (!check) buildTypescript();
  const { FS, PROMISES } = createRequire(import.meta.url)(inRoot('dist', 'surface.js'));
  const file = inRoot('docs', 'compatibility.md');
  const markdown = (list) => table(['names', 'served by', 'why'], rows(list));
  const body = `### ioengine/fs\n\n${markdown(FS)}\n\n### ioengine/fs/promises\n\n${markdown(PROMISES)}`;
  writeGenerated([{ file, text: withSection(file, 'surface', body) }], {
    check,
    command: 'node scripts/generate-surface.mjs',
  });
});
