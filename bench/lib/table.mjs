// Prints results for people. Everything on the screen is in the JSON too.

/** CPUs that others may use while a figure still counts. */
export const QUIET = 0.15;

/** Said with a ratio that is not the plain one of rates. @type {Record<string, string>} */
const metricText = { cpu: ', CPU', growth: ', growth' };

/** @param {number} value */
export function number(value) {
  const size = Math.abs(value);
  if (size >= 10_000) return Math.round(value).toLocaleString('en-US');
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
}

/**
 * @param {string[]} head
 * @param {string[][]} rows
 * @param {string} indent
 */
export function table(head, rows, indent = '  ') {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column].length)));
  const line = (/** @type {string[]} */ cells) =>
    indent + cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ');
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].map((text) => text.trimEnd());
}

/** @param {import('./statistics.mjs').Spread} spread */
export const rangeText = ({ min, max }) => `${number(min)} - ${number(max)}`;

/** Median and tail in µs, where calls were timed. @param {import('./latency.mjs').Latency | undefined} latency */
export const latencyCells = (latency) =>
  [latency?.p50, latency?.p99, latency?.p999].map((value) => (value === undefined ? '' : number(value)));

export const LATENCY_HEAD = ['p50 us', 'p99', 'p99.9'];

/** @param {{ atLeast?: number, atMost?: number } | undefined} bar */
export function barText(bar) {
  if (!bar) return '';
  const parts = [];
  if (bar.atLeast !== undefined) parts.push(`>= ${bar.atLeast}`);
  if (bar.atMost !== undefined) parts.push(`<= ${bar.atMost}`);
  return parts.join(', ');
}

/** @param {any} lanes */
function laneText(lanes) {
  return (
    Object.entries(lanes)
      .filter(([, lane]) => lane.operations > 0)
      .map(([name, lane]) => `${name} ${number(lane.operations)}`)
      .join(', ') || 'none'
  );
}

/**
 * @param {any} result of measure() or of a case of its own kind with the same shape
 * @returns {string[]}
 */
export function measurementLines(result) {
  const label = new Map(
    [...result.sides, ...result.failed, ...result.absent].map((/** @type {any} */ side) => [side.key, side.label]),
  );
  const lines = ['', result.title, ''];
  const timed = result.sides.some((/** @type {any} */ side) => side.latency_us);
  lines.push(
    ...table(
      [result.unit, 'median', 'min - max', result.cpuUnit, ...(timed ? LATENCY_HEAD : [])],
      result.sides.map((/** @type {any} */ side) => [
        side.label,
        number(side.rate.median),
        rangeText(side.rate),
        side.cpu_us ? number(side.cpu_us.median) : '',
        ...(timed ? latencyCells(side.latency_us) : []),
      ]),
    ),
  );
  if (result.comparisons.length > 0) {
    lines.push('');
    lines.push(
      ...table(
        [result.comparisonName ?? 'ratio, round by round', 'median', 'min - max', 'bar', ''],
        result.comparisons.map((/** @type {any} */ row) => [
          `${label.get(row.subject)} / ${label.get(row.against) ?? row.against}${metricText[row.metric] ?? ''}`,
          row.value ? number(row.value.median) : '-',
          row.value ? rangeText(row.value) : '-',
          barText(row.bar),
          row.verdict === 'no bar' ? '' : row.verdict,
        ]),
      ),
    );
  }
  lines.push('');
  for (const side of result.sides) {
    if (side.facts?.runtime)
      lines.push(`  ${side.label}: ${side.facts.runtime}${side.lanes ? `; operations: ${laneText(side.lanes)}` : ''}`);
  }
  for (const side of result.failed) lines.push(`  FAILED ${side.label}: ${side.failure}`);
  for (const side of result.absent) lines.push(`  not measured, ${side.label}: ${side.absent}`);
  if (result.otherCpu) {
    const { median, max } = result.otherCpu;
    lines.push(`  CPU used by others meanwhile, in CPUs: median ${median.toFixed(2)}, at most ${max.toFixed(2)}`);
    if (median > QUIET) lines.push('  THE MACHINE WAS NOT QUIET: these figures do not count, repeat the run');
  }
  for (const note of result.notes) lines.push(`  ${note}`);
  return lines;
}
