// One chart for each case: how many times as fast as Node each side is, measurement by measurement, as SVG.
import * as vega from 'vega';

const ROW_HEIGHT = 14;
const WIDTH = 420;
const LABEL_WIDTH = 320;

/** The sides that a chart shows, beside the engine's own: more would hide what matters. */
const PEERS = ['node26', 'node24', 'bun', 'c', 'fio-psync', 'fio-io_uring'];
const COLOURS = ['#1f6f8b', '#4fa3c0', '#b7d7e2', '#8a8a8a', '#c4c4c4', '#e0a458', '#5b5b5b', '#a99985'];

/** @typedef {{ measurement: string, side: string, value: number }} Bar */

/** @param {string} key @param {string | undefined} node */
const isShown = (key, node) => key.startsWith('ioengine-') || key === node || PEERS.includes(key);

/**
 * @param {any} measurement
 * @param {string} node key of the Node that all ran in
 * @returns {Bar[]} none where Node took no part, or where a rate is not what it is about
 */
function barsOf({ title, unit, sides, comparisons, comparisonName }, node) {
  const row = (/** @type {any} */ side, /** @type {number} */ value) => ({
    measurement: title,
    side: side.label,
    value,
  });
  if (comparisons.some(({ metric }) => metric === 'speed')) {
    const label = new Map(sides.map((/** @type {any} */ side) => [side.key, side]));
    return comparisons
      .filter(({ value, subject }) => value && label.has(subject))
      .map(({ subject, value }) => row(label.get(subject), value.median));
  }
  const base = sides.find((/** @type {any} */ side) => side.key === node);
  if (comparisonName !== undefined || base === undefined || !unit.endsWith('/s')) return [];
  return sides
    .filter((/** @type {any} */ { key }) => isShown(key, node))
    .map((/** @type {any} */ side) => row(side, side.rate.median / base.rate.median));
}

/** @param {string} title @param {Bar[]} bars @param {string} node */
function specification(title, bars, node) {
  const sides = [...new Set(bars.map(({ side }) => side))];
  const rows = bars.map((bar, i) => ({ ...bar, row: i, isFirst: bars[i - 1]?.measurement !== bar.measurement }));
  const height = rows.length * ROW_HEIGHT;
  const y = { scale: 'row', field: 'row' };
  return {
    width: WIDTH,
    height,
    padding: { left: LABEL_WIDTH, right: 60, top: 5, bottom: 5 },
    autosize: 'none',
    background: 'white',
    title: { text: title, anchor: 'start', frame: 'group' },
    data: [{ name: 'rows', values: rows }],
    scales: [
      {
        name: 'x',
        type: 'linear',
        domain: [0, Math.max(1, ...bars.map(({ value }) => value))],
        range: 'width',
        nice: true,
      },
      { name: 'row', type: 'band', domain: rows.map(({ row }) => row), range: 'height', padding: 0.15 },
      { name: 'colour', type: 'ordinal', domain: sides, range: COLOURS },
    ],
    axes: [{ orient: 'bottom', scale: 'x', grid: true, title: `times as fast as ${node}`, tickCount: 8 }],
    legends: [{ fill: 'colour', orient: 'bottom', columns: 4, offset: 10 }],
    marks: [
      {
        type: 'rect',
        from: { data: 'rows' },
        encode: {
          enter: {
            x: { scale: 'x', value: 0 },
            x2: { scale: 'x', field: 'value' },
            y,
            height: { scale: 'row', band: 1 },
            fill: { scale: 'colour', field: 'side' },
          },
        },
      },
      textMark({ x: { scale: 'x', field: 'value', offset: 4 }, y, text: { signal: "format(datum.value, '.2~f')" } }),
      textMark(
        {
          x: { value: -6 },
          y,
          align: { value: 'right' },
          limit: { value: LABEL_WIDTH - 12 },
          text: { field: 'measurement' },
        },
        'datum.isFirst',
      ),
      { type: 'rule', encode: { enter: { x: { scale: 'x', value: 1 }, y: { value: 0 }, y2: { value: height } } } },
    ],
  };
}

/** @param {Record<string, any>} encoding @param {string} [only] an expression: which rows have it */
function textMark({ y, ...encoding }, only) {
  const enter = {
    ...encoding,
    y: { ...y, offset: ROW_HEIGHT / 2 - 1 },
    baseline: { value: 'middle' },
    fontSize: { value: 10 },
    ...(only ? { opacity: { signal: `${only} ? 1 : 0` } } : {}),
  };
  return { type: 'text', from: { data: 'rows' }, encode: { enter } };
}

/**
 * @param {{ name: string, title: string, measurements: any[] }} each
 * @param {string} node
 * @returns {Promise<string | undefined>} SVG; undefined for a case without rates
 */
export async function chartOf({ name, measurements }, node) {
  const bars = measurements.flatMap((measurement) => barsOf(measurement, node));
  if (bars.length === 0) return undefined;
  const specified = /** @type {any} */ (specification(name, bars, node));
  return `${await new vega.View(vega.parse(specified), { renderer: 'none' }).toSVG()}\n`;
}
