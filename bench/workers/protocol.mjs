// The worker's half of the line protocol. The parent starts a worker, waits for its `ready` line, and then sends
// `run AMOUNT SEED` whenever it is this worker's turn; between turns the worker is blocked on its standard input.
// random_read.c speaks the same protocol.
import process from 'node:process';
import { latencies_us, resetLatencies } from './latency.mjs';

/**
 * What was done, in the case's own unit (reads, bytes); `figure`: what the case is about, when that is not a rate.
 * @typedef {{ work: number, figure?: number }} RoundResult
 */

/** @param {object} message */
function say(message) {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

/**
 * Ends a worker that cannot do its work, with the reason.
 * @param {unknown} error
 * @returns {never}
 */
export function giveUp(error) {
  say({ error: describeError(error) });
  process.exit(1);
}

/** @param {unknown} error */
function describeError(error) {
  if (!(error instanceof Error)) return String(error);
  const code = /** @type {{ code?: string }} */ (error).code;
  return code && !error.message.includes(code) ? `${code}: ${error.message}` : error.message;
}

function runtimeName() {
  const versions = /** @type {Record<string, string | undefined>} */ (process.versions);
  if (versions.bun) return `Bun ${versions.bun}`;
  if (versions.deno) return `Deno ${versions.deno}`;
  return `Node ${process.version}`;
}

/**
 * @param {object} worker
 * @param {() => Promise<void>} worker.prepare opens and verifies; nothing of it is timed
 * @param {(amount: number, seed: number) => Promise<RoundResult>} worker.run the timed part
 * @param {(amount: number) => void} [worker.begin] before each round, untimed
 * @param {(work: number) => void} [worker.check] after each round, untimed: throws if it must not count
 * @param {() => object} [worker.facts] added to the `ready` line
 * @param {() => object | undefined} [worker.lanes] operations per lane, since the process began
 */
export async function serve(worker) {
  try {
    await worker.prepare();
    say({ ready: true, runtime: runtimeName(), ...worker.facts?.() });
    for await (const line of lines()) {
      const [command, amount, seed] = line.split(' ');
      if (command !== 'run') throw new Error(`unknown command '${line}'`);
      say(await timedRound(worker, Number(amount), Number(seed)));
    }
    process.exit(0);
  } catch (error) {
    giveUp(error);
  }
}

/**
 * @param {Parameters<typeof serve>[0]} worker
 * @param {number} amount
 * @param {number} seed
 */
async function timedRound(worker, amount, seed) {
  worker.begin?.(amount);
  resetLatencies();
  const cpuBefore = process.cpuUsage();
  const started_ns = process.hrtime.bigint();
  const { work, figure } = await worker.run(amount, seed);
  const wall_ns = Number(process.hrtime.bigint() - started_ns);
  const cpu = process.cpuUsage(cpuBefore);
  worker.check?.(work);
  const cpu_us = cpu.user + cpu.system;
  return { work, figure, wall_ns, cpu_us, latencies_us: latencies_us(), lanes: worker.lanes?.() };
}

async function* lines() {
  let pending = '';
  for await (const chunk of process.stdin) {
    pending += chunk;
    const parts = pending.split('\n');
    pending = parts.pop() ?? '';
    yield* parts.filter((part) => part !== '');
  }
}
