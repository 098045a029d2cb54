// The figures of README.md: what most programs do, against Node and Bun, out of the same results as the page.

const START = '<!-- bench:start -->';
const END = '<!-- bench:end -->';

/** @type {{ text: string, name: string, title: RegExp }[]} */
const FIGURES = [
  {
    text: '`readFile` of small cached files, 64 at a time',
    name: 'small-file-read',
    title: /^promises\.readFile, \d+ files .* 64 at a time$/,
  },
  {
    text: '`stat` of the same files, 64 at a time',
    name: 'small-file-stat',
    title: /^promises\.stat, \d+ files .* 64 at a time$/,
  },
  { text: '`createReadStream` over a cached file', name: 'read-stream', title: /^from the page cache/ },
];

/** @param {any[]} cases @param {(typeof FIGURES)[number]} figure */
function measurementOf(cases, { name, title }) {
  const found = cases
    .find((each) => each.name === name)
    ?.measurements.find((/** @type {any} */ each) => title.test(each.title));
  if (found === undefined) throw new Error(`README.md needs the case ${name}: measure it too`);
  return found;
}

/** Of the first backend that was measured, which most programs get. @param {any} measurement @param {string} against */
function ratio({ comparisons }, against) {
  const row = comparisons.find(
    (/** @type {any} */ each) => each.against === against && each.metric === 'rate' && each.value,
  );
  return row ? `${row.value.median.toFixed(1)}×` : 'not measured';
}

/**
 * @param {{ machine: any, cases: any[] }} results
 * @param {string} node key of the Node that all ran in
 */
function figureLines({ machine, cases }, node) {
  const rows = FIGURES.map((figure) => {
    const measurement = measurementOf(cases, figure);
    return `| ${figure.text} | ${ratio(measurement, node)} | ${ratio(measurement, 'bun')} |`;
  });
  return [
    `| as fast as | Node ${machine.node.replace(/^v/, '')} | Bun |`,
    '| --- | ---: | ---: |',
    ...rows,
    '',
    `On ${machine.cpus} CPUs (${machine.cpu}), Linux ${machine.kernel}, ${machine.date.slice(0, 10)};`,
    '[every case, and where we lose](docs/benchmarks.md).',
  ];
}

/**
 * @param {string} readme its text
 * @param {Parameters<typeof figureLines>[0]} results
 * @param {string} node
 * @returns {string} with the figures between the marks
 */
export function withFigures(readme, results, node) {
  const start = readme.indexOf(START);
  const end = readme.indexOf(END);
  if (start === -1 || end < start) throw new Error(`README.md has no ${START} ... ${END}`);
  const figures = figureLines(results, node).join('\n');
  return `${readme.slice(0, start + START.length)}\n${figures}\n${readme.slice(end)}`;
}
