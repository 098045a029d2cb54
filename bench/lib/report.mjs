// The results of a run as a page of Markdown: the machine, where we lose, and the tables of each case.
import { barText, LATENCY_HEAD, latencyCells, number, QUIET, rangeText } from './table.mjs';

/** @param {string} text a cell: no bar of the table's own */
const cell = (text) => text.replaceAll('|', '\\|');

/** @param {string[]} head @param {string[][]} rows */
function markdownTable(head, rows) {
  const line = (/** @type {string[]} */ cells) => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)];
}

/** @param {any} measurement */
function labels({ sides, failed, absent }) {
  return new Map([...sides, ...failed, ...absent].map((/** @type {any} */ side) => [side.key, side.label]));
}

/** @param {any} measurement @param {any} row */
function comparisonName(measurement, row) {
  const label = labels(measurement);
  const metric = row.metric === 'cpu' ? ', CPU' : '';
  return `${label.get(row.subject) ?? row.subject} / ${label.get(row.against) ?? row.against}${metric}`;
}

/** @param {any} row */
const valueCells = (row) => [
  row.value ? number(row.value.median) : '-',
  row.value ? rangeText(row.value) : '-',
  barText(row.bar),
];

/** Bars that were missed, and ratios without a bar in which the engine is the slower one. @param {any[]} cases */
function losses(cases) {
  return cases.flatMap(({ name, measurements }) =>
    measurements.flatMap((/** @type {any} */ measurement) =>
      measurement.comparisons
        .filter((/** @type {any} */ row) => row.verdict === 'missed' || isSlower(measurement, row))
        .map((/** @type {any} */ row) => [
          `${name}: ${measurement.title}`,
          comparisonName(measurement, row),
          ...valueCells(row),
        ]),
    ),
  );
}

/** @param {any} measurement @param {any} row */
function isSlower({ comparisonName: name }, row) {
  return name === undefined && row.verdict === 'no bar' && row.metric === 'rate' && row.value?.median < 1;
}

/** An item of a list, in lines of at most 120 columns. @param {string} text @returns {string[]} */
function listItem(text) {
  const lines = ['-'];
  for (const word of text.split(' ')) {
    if (lines[lines.length - 1].length + 1 + word.length > 120) lines.push(' ');
    lines[lines.length - 1] += ` ${word}`;
  }
  return lines;
}

/** @param {any} measurement */
function measurementSection(measurement) {
  const { title, unit, cpuUnit, sides, comparisons, failed, absent, otherCpu, notes } = measurement;
  const lines = [`### ${title}`, ''];
  const timed = sides.some((/** @type {any} */ side) => side.latency_us);
  lines.push(
    ...markdownTable(
      [unit, 'median', 'min - max', cpuUnit || 'CPU', ...(timed ? LATENCY_HEAD : [])],
      sides.map((/** @type {any} */ side) => [
        side.label,
        number(side.rate.median),
        rangeText(side.rate),
        side.cpu_us ? number(side.cpu_us.median) : '',
        ...(timed ? latencyCells(side.latency_us) : []),
      ]),
    ),
    '',
  );
  if (comparisons.length > 0) {
    const rows = comparisons.map((/** @type {any} */ row) => [
      comparisonName(measurement, row),
      ...valueCells(row),
      row.verdict === 'no bar' ? '' : row.verdict,
    ]);
    lines.push(
      ...markdownTable([measurement.comparisonName ?? 'ratio, round by round', 'median', 'min - max', 'bar', ''], rows),
      '',
    );
  }
  const remarks = [
    ...failed.map((/** @type {any} */ side) => `failed, ${side.label}: ${side.failure}`),
    ...absent.map((/** @type {any} */ side) => `not measured, ${side.label}: ${side.absent}`),
    ...(otherCpu?.median > QUIET ? [`the machine was not quiet: others used ${number(otherCpu.median)} CPUs`] : []),
    ...notes,
  ];
  if (remarks.length > 0) lines.push(...remarks.flatMap(listItem), '');
  return lines;
}

/** The runtimes that took part, by what they said of themselves. @param {any[]} cases */
function versions(cases) {
  const all = cases.flatMap(({ measurements }) => measurements.flatMap((/** @type {any} */ each) => each.sides));
  return [...new Set(all.map((side) => side.facts?.runtime).filter(Boolean))].sort();
}

/**
 * @param {{ machine: Record<string, unknown>, options: any, totals: any, cases: any[] }} results
 * @param {Map<string, string>} charts files by the names of their cases
 * @returns {string[]}
 */
export function reportLines({ machine, options, totals, cases }, charts) {
  const lost = losses(cases);
  const quick = options.quick ? ['**A quick run: short rounds and less data. A first look, not a claim.**', ''] : [];
  return [
    '# Benchmarks',
    '',
    'Written by `npm run bench:report` from the results of a run, or of several that followed one another;',
    '[bench/README.md](../bench/README.md) says how it measures. Only ratios count: they are taken round by round,',
    'between sides that ran next to each other.',
    '',
    ...quick,
    `Bars: ${totals.met} met, ${totals.missed} missed, ${totals.notMeasured} not measured;`,
    `${totals.failedSides} sides failed.`,
    '',
    '## Machine and versions',
    '',
    ...markdownTable(
      ['', ''],
      [
        ...Object.entries(machine).map(([name, value]) => [name.replaceAll('_', ' '), String(value)]),
        ['measured', versions(cases).join(', ')],
        ['rounds', String(options.rounds)],
      ],
    ),
    '',
    '## Where we lose',
    '',
    ...(lost.length > 0
      ? markdownTable(['case', 'sides', 'median', 'min - max', 'bar'], lost)
      : ['Nowhere in this run: no bar was missed and no side without a bar was faster.']),
    '',
    ...cases.flatMap(({ name, alias, title, measurements }) => [
      `## ${[alias.toUpperCase(), name].filter(Boolean).join(' ')}`,
      '',
      `${title}.`,
      '',
      ...(charts.has(name) ? [`![${name}](${charts.get(name)})`, ''] : []),
      ...measurements.flatMap(measurementSection),
    ]),
  ].slice(0, -1);
}
