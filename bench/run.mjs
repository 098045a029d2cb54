// `npm run bench`: measures the engine beside its competitors and prints each ratio next to its bar.
import fs from 'node:fs';
import { resolve } from 'node:path';
import { nativeIsCurrent } from '../scripts/lib/native-build.mjs';
import { typescriptIsCurrent } from '../scripts/lib/typescript-build.mjs';
import * as cachedRandomRead from './cases/cached-random-read.mjs';
import * as cachedRandomReadDeep from './cases/cached-random-read-deep.mjs';
import * as directRandomRead from './cases/direct-random-read.mjs';
import * as eventLoopDelay from './cases/event-loop-delay.mjs';
import * as fileSystems from './cases/file-systems.mjs';
import * as growth from './cases/growth.mjs';
import * as memory from './cases/memory.mjs';
import * as pathChanges from './cases/path-changes.mjs';
import * as programs from './cases/programs.mjs';
import * as randomWrite from './cases/random-write.mjs';
import * as readStream from './cases/read-stream.mjs';
import * as smallFileRead from './cases/small-file-read.mjs';
import * as smallFileStat from './cases/small-file-stat.mjs';
import * as startUp from './cases/start-up.mjs';
import * as streamCopy from './cases/stream-copy.mjs';
import * as writeStream from './cases/write-stream.mjs';
import { installCompetitors } from './lib/competitors.mjs';
import { prepareDataFile } from './lib/data-file.mjs';
import { nodeIsChosen, runInChosenNode } from './lib/host-node.mjs';
import { machineFacts } from './lib/machine.mjs';
import { parseOptions, usage } from './lib/options.mjs';
import { pinInPageCache } from './lib/pinned-files.mjs';
import { runningNode } from './lib/sides.mjs';
import { FILES } from './lib/small-files.mjs';
import { measurementLines } from './lib/table.mjs';
import { installTools } from './lib/tools.mjs';

/**
 * @typedef {object} Context what a case gets
 * @property {{ path: string, size: number }} file
 * @property {string[]} backends
 * @property {boolean} quick
 * @property {boolean} smoke
 * @property {number} files small files that are read, a power of two
 * @property {number} streamSize of the files that are written
 * @property {string} [engine] root of a second build
 * @property {number} rounds
 * @property {(full: number) => number} roundMs of a round that takes so many ms in a full run
 * @property {string[]} [competitors] these at most
 * @property {number} seed
 * @property {(text: string) => void} log progress
 */

const cases = new Map([
  ['cached-random-read', cachedRandomRead],
  ['cached-random-read-deep', cachedRandomReadDeep],
  ['direct-random-read', directRandomRead],
  ['small-file-read', smallFileRead],
  ['small-file-stat', smallFileStat],
  ['path-changes', pathChanges],
  ['read-stream', readStream],
  ['write-stream', writeStream],
  ['stream-copy', streamCopy],
  ['random-write', randomWrite],
  ['programs', programs],
  ['growth', growth],
  ['event-loop-delay', eventLoopDelay],
  ['memory', memory],
  ['start-up', startUp],
  ['file-systems', fileSystems],
]);

/** The numbers that the cases had first, and that bars are still cited by. */
const aliases = new Map([
  ['p1', 'cached-random-read'],
  ['p2', 'cached-random-read-deep'],
  ['p3', 'direct-random-read'],
  ['p4', 'small-file-read'],
  ['p5', 'small-file-stat'],
  ['p5b', 'path-changes'],
  ['p6', 'read-stream'],
  ['p7', 'write-stream'],
  ['p8', 'stream-copy'],
  ['p9', 'random-write'],
  ['p10', 'programs'],
  ['p11', 'growth'],
  ['p12', 'event-loop-delay'],
  ['p13', 'memory'],
  ['p14', 'start-up'],
  ['p15', 'file-systems'],
]);

/** @param {string} name */
const aliasOf = (name) => [...aliases].find(([, full]) => full === name)?.[0] ?? '';

/** Progress goes to the error output, and only to a terminal: the tables stay clean. @param {string} text */
function progress(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text.slice(0, (process.stderr.columns ?? 120) - 1)}`);
}

/** @param {string[]} lines */
function print(lines) {
  progress('');
  console.log(lines.join('\n'));
}

/** @param {any[]} results */
function summary(results) {
  const verdicts = results.flatMap(({ measurements }) =>
    measurements.flatMap((/** @type {any} */ each) => each.comparisons),
  );
  const count = (/** @type {string} */ verdict) => verdicts.filter((row) => row.verdict === verdict).length;
  const failed = results.flatMap(({ measurements }) => measurements.flatMap((/** @type {any} */ each) => each.failed));
  return {
    met: count('met'),
    missed: count('missed'),
    notMeasured: count('not measured'),
    failedSides: failed.length,
  };
}

async function main() {
  const options = parseOptions(process.argv.slice(2), [...cases.keys()], aliases);
  if (options.help) return print([usage]);
  if (options.list)
    return print([...cases].map(([name, { title }]) => `${aliasOf(name).padEnd(5)}${name.padEnd(25)}${title}`));

  // Figures of an older build would bear the name of this commit. The stamps are of the Node that has built.
  if (!nodeIsChosen() && (!nativeIsCurrent() || !typescriptIsCurrent()))
    throw new Error('what is built is not of these sources: npm run build:all');
  if (options.competitors) {
    installCompetitors((text) => print([text]));
    installTools((text) => print([text]));
  }
  const code = runInChosenNode(options.node);
  if (code !== undefined) {
    process.exitCode = code;
    return;
  }
  const size = options.smoke ? 32 << 20 : options.quick ? 256 << 20 : 1 << 30;
  const file = prepareDataFile(size, (text) => print([text]));
  const machine = { ...machineFacts(file.path), page_cache: await pinInPageCache(file.path) };
  print(Object.entries(machine).map(([name, value]) => `${name.padEnd(15)}${value}`));

  /** @type {Context} */
  const context = {
    file,
    backends: options.backends,
    quick: options.quick || options.smoke,
    smoke: options.smoke,
    engine: options.engine && resolve(options.engine),
    files: options.smoke ? 256 : options.quick ? 4096 : FILES,
    streamSize: file.size >> (options.smoke ? 1 : 2),
    rounds: options.smoke ? 1 : options.quick ? 3 : 7,
    roundMs: (full) => (options.smoke ? 5 : options.quick ? 60 : full),
    competitors: options.smoke ? [runningNode] : options.quick ? [runningNode, 'bun', 'c'] : undefined,
    seed: 20_000,
    log: progress,
  };
  const results = [];
  for (const name of options.only) {
    const { title, run } = /** @type {typeof cachedRandomRead} */ (cases.get(name));
    print(['', `== ${aliasOf(name).toUpperCase()} ${name}: ${title}`]);
    const measurements = [];
    for await (const result of run(context)) {
      measurements.push(result);
      print(measurementLines(result));
    }
    results.push({ name, alias: aliasOf(name), title, measurements });
  }
  const totals = summary(results);
  const counts = `${totals.met} met, ${totals.missed} missed, ${totals.notMeasured} not measured`;
  print(['', `bars: ${counts}${totals.failedSides > 0 ? `; ${totals.failedSides} sides failed` : ''}`]);
  if (options.json) {
    const { quick, smoke, backends, only, engine } = options;
    fs.writeFileSync(
      options.json,
      `${JSON.stringify({ machine, options: { quick, smoke, backends, only, engine, rounds: context.rounds }, totals, cases: results }, null, 2)}\n`,
    );
  }
  // A missed bar is a result. A side that could not be measured is a failure of the run.
  process.exitCode = totals.failedSides > 0 ? 1 : 0;
}

main().catch((error) => {
  progress('');
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
