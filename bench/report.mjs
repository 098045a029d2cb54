// `npm run bench:report`: writes pages from what `npm run bench` has measured with --json.
import fs from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { chartOf } from './lib/charts.mjs';
import { mergedResults } from './lib/merged-results.mjs';
import { repoFolder } from './lib/paths.mjs';
import { withFigures } from './lib/readme-figures.mjs';
import { reportLines } from './lib/report.mjs';

const usage = `npm run bench:report -- RESULTS.json ... [--page TARGET.md]

From what \`npm run bench -- --json RESULTS.json\` has written, in one run or in several on one machine:
docs/benchmarks.md, a chart for each case in docs/benchmarks/, and the figures of README.md. With --page that page and
its charts alone, in the folder beside it.`;

/** @param {any} machine */
const nodeOf = ({ node }) => `node${node.replace(/^v/, '').split('.')[0]}`;

/** @param {any} results @param {string} folder @returns {Promise<Map<string, string>>} file by name of the case */
async function drawCharts({ machine, cases }, folder) {
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true });
  const charts = new Map();
  for (const each of cases) {
    const svg = await chartOf(each, nodeOf(machine));
    if (svg === undefined) continue;
    const file = join(folder, `${each.name}.svg`);
    fs.writeFileSync(file, svg);
    charts.set(each.name, file);
  }
  return charts;
}

/** @param {string} source */
function readResults(source) {
  const results = JSON.parse(fs.readFileSync(source, 'utf8'));
  if (results.options?.smoke) throw new Error(`${source} is of a smoke run: its figures say nothing`);
  return results;
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { help: { type: 'boolean', short: 'h', default: false }, page: { type: 'string' } },
  });
  if (values.help) return console.log(usage);
  const target = values.page;
  if (positionals.length === 0) throw new Error(`which results?\n\n${usage}`);
  const results = mergedResults(positionals.map(readResults));
  const readme = join(repoFolder, 'README.md');
  // First, because it may fail: then nothing has been written.
  const figures =
    target === undefined ? withFigures(fs.readFileSync(readme, 'utf8'), results, nodeOf(results.machine)) : '';
  const page = target ?? join(repoFolder, 'docs', 'benchmarks.md');
  const charts = await drawCharts(results, page.replace(/\.md$/, ''));
  const links = new Map([...charts].map(([name, file]) => [name, relative(dirname(page), file)]));
  fs.writeFileSync(page, `${reportLines(results, links).join('\n')}\n`);
  console.log(`${page} written, with ${charts.size} charts`);
  if (target !== undefined) return;
  fs.writeFileSync(readme, figures);
  console.log(`${readme}: figures written`);
}

main().catch((error) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
