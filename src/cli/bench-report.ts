// What `bench` prints: a table, a chart of the same figures, and where the engine is no faster.

import type { ProgramResult } from './bench-program';
import type { Result } from './bench-run';
import { verdictOn } from './spread';
import { amount, bar, plural, table, wrapped } from './text';

const times = (value: number): string => `${value.toFixed(2)}x`;

function lanesText(lanes: Record<string, number>): string {
  const total = Object.values(lanes).reduce((sum, count) => sum + count, 0);
  const used = Object.entries(lanes).filter(([, count]) => count > 0);
  if (total === 0) return '–';
  const share = (count: number): string => {
    const percent = Math.round((100 * count) / total);
    return percent === 0 ? '<1' : `${percent}`;
  };
  return used
    .sort(([, one], [, other]) => other - one)
    .map(([name, count]) => `${name} ${share(count)} %`)
    .join(', ');
}

function rowOf({ task, node, engine, ratio, cpuRatio, lanes }: Result): string[] {
  return [
    task.name,
    `${amount(node.median)} ${task.unit}/s`,
    `${amount(engine.median)} ${task.unit}/s`,
    times(ratio.median),
    `${times(ratio.least)} – ${times(ratio.most)}`,
    times(cpuRatio.median),
    verdictOn(ratio),
    lanesText(lanes),
  ];
}

const BAR = 40;

function chartOf({ task, node, engine }: Result): string[] {
  const most = Math.max(node.median, engine.median);
  const line = (name: string, value: number): string =>
    `    ${name.padEnd(8)}${bar(value / most, BAR)} ${amount(value)}`;
  return [`  ${task.name} (${task.unit} a second)`, line('node', node.median), line('engine', engine.median)];
}

function conclusion(results: Result[]): string {
  const named = (verdict: string): string[] =>
    results.filter(({ ratio }) => verdictOn(ratio) === verdict).map(({ task }) => task.name);
  const slower = named('slower');
  const same = named('no difference');
  const parts = [`The engine is faster in ${named('faster').length} of ${results.length}.`];
  if (same.length > 0) parts.push(`No difference beyond the noise: ${same.join('; ')}.`);
  if (slower.length > 0) parts.push(`Slower: ${slower.join('; ')}.`);
  return parts.join(' ');
}

const HEADING = ['task', 'node', 'engine', 'ratio', 'of the rounds', 'CPU', 'engine is', 'lanes of the engine'];

export function resultLines(results: Result[], rounds: number): string[] {
  const isDirect = results.some(({ task }) => task.direct);
  const isWriting = results.some(({ task }) => task.kind.startsWith('write'));
  const notes = [
    `Medians of ${plural(rounds, 'round')}, both sides in turn, each a process of its own. Ratios are engine against`,
    'node, taken round by round; CPU is time of all threads for one operation, where less than 1 is less.',
    'Both sides came to the same content.',
    isDirect ? 'Reads without O_DIRECT' : 'Reads',
    'come from the page cache, where the first round has put the files: this measures the software, not the disk.',
    isWriting ? 'Writes may wait for the disk, which is the same for both.' : '',
  ];
  return [
    ...table(HEADING, results.map(rowOf)),
    '',
    ...results.flatMap(chartOf),
    '',
    ...wrapped(conclusion(results)),
    ...wrapped(notes.join(' ')),
  ];
}

export function programLines({ plain, engine, ratio, outputsAreEqual }: ProgramResult, rounds: number): string[] {
  const most = Math.max(plain.median, engine.median);
  const row = (name: string, { median, least, most: longest }: ProgramResult['plain']): string[] => [
    name,
    `${median.toFixed(3)} s`,
    `${least.toFixed(3)} s`,
    `${longest.toFixed(3)} s`,
  ];
  const speed = `${times(ratio.median)} as fast (${times(ratio.least)} – ${times(ratio.most)} of the rounds)`;
  const verdict = verdictOn(ratio);
  return [
    ...table(['', 'median', 'least', 'most'], [row('node', plain), row('on the engine', engine)]),
    '',
    `    node    ${bar(plain.median / most, BAR)} ${plain.median.toFixed(3)} s`,
    `    engine  ${bar(engine.median / most, BAR)} ${engine.median.toFixed(3)} s`,
    '',
    verdict === 'no difference'
      ? `No difference beyond the noise: ${speed}. File I/O may not be what this program waits for.`
      : `On the engine it is ${verdict}: ${speed}.`,
    `Whole processes, start-up included; medians of ${plural(rounds, 'pair')} after a warm-up, in turn.`,
    outputsAreEqual
      ? 'Every run ended with 0 and wrote the same to standard output.'
      : 'Every run ended with 0. What they wrote to standard output differs from run to run, so it was not compared.',
  ];
}
