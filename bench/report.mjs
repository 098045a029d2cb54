// `npm run bench:report`: writes a page of Markdown from what `npm run bench` has measured with --json.
import fs from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { reportLines } from './lib/report.mjs';
import { repoFolder } from './lib/paths.mjs';

const usage = `npm run bench:report -- RESULTS.json [TARGET.md]

Writes TARGET.md (docs/benchmarks.md without one) from a file that \`npm run bench -- --json RESULTS.json\` has written.`;

function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { help: { type: 'boolean', short: 'h', default: false } },
  });
  if (values.help) return console.log(usage);
  const [source, target = join(repoFolder, 'docs', 'benchmarks.md')] = positionals;
  if (source === undefined) throw new Error(`which results?\n\n${usage}`);
  const results = JSON.parse(fs.readFileSync(source, 'utf8'));
  if (results.options?.smoke) throw new Error(`${source} is of a smoke run: its figures say nothing`);
  fs.writeFileSync(target, `${reportLines(results).join('\n')}\n`);
  console.log(`${target} written`);
}

try {
  main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
