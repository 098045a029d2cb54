// Which Node runs the benchmark and its workers: the one asked for, or the newest that `--competitors` has installed.
import { spawnSync } from 'node:child_process';
import { competitorBinary } from './competitors.mjs';

/** Set in the process that was started again, so that it does not start another one. */
const CHOSEN = 'BENCH_NODE_IS_CHOSEN';

/** @type {Record<string, import('./competitors.mjs').CompetitorKey>} newest first */
const installable = { 26: 'node26', 24: 'node24' };

/**
 * @param {string | undefined} asked a major version, or 'running'
 * @returns {string | undefined} a binary other than the running one
 */
function chosenBinary(asked) {
  const running = process.versions.node.split('.')[0];
  if (asked === 'running' || asked === running) return undefined;
  if (asked === undefined) {
    const found = Object.entries(installable)
      .sort(([a], [b]) => Number(b) - Number(a))
      .find(([, key]) => competitorBinary(key) !== undefined);
    return found && Number(found[0]) > Number(running) ? competitorBinary(found[1]) : undefined;
  }
  const binary = installable[asked] && competitorBinary(installable[asked]);
  if (!binary) throw new Error(`Node ${asked} is not installed: npm run bench -- --competitors installs 24 and 26`);
  return binary;
}

export const nodeIsChosen = () => process.env[CHOSEN] !== undefined;

/**
 * Runs this program again in the chosen Node, when that is another one.
 * @param {string | undefined} asked
 * @returns {number | undefined} the exit code of that run; undefined when the running Node is the one
 */
export function runInChosenNode(asked) {
  if (nodeIsChosen()) return undefined;
  const binary = chosenBinary(asked);
  if (binary === undefined) return undefined;
  const env = { ...process.env, [CHOSEN]: '1' };
  return spawnSync(binary, process.argv.slice(1), { stdio: 'inherit', env }).status ?? 1;
}
