// One side of a measurement as a child process that does a timed round on command (bench/workers/protocol.mjs).
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { cleanEnvironment } from './environment.mjs';

const ANSWER_TIMEOUT_MS = 120_000;
const STDERR_KEPT = 2000;
const REFINEMENTS = 2;

/**
 * @typedef {object} Round
 * @property {number} work in the case's own unit: reads or bytes
 * @property {number} wall_ns
 * @property {number} cpu_us of the whole process, all threads
 * @property {number} [figure] what the case is about, when that is not a rate
 * @property {number[]} [latencies_us] of some of the calls
 * @property {object} [lanes]
 */

export class ProcessSide {
  /** @type {import('node:child_process').ChildProcessWithoutNullStreams | undefined} */
  #child;
  /** @type {AsyncIterator<string> | undefined} */
  #lines;
  #stderr = '';
  #amount;

  /**
   * @param {{ key: string, label: string, command: string, args: string[], env?: Record<string, string>,
   *   leastAmount: number, oneCpu?: boolean, ofBuild?: (root: string) => ProcessSide }} about `leastAmount`: what one
   *   round is at least, so that its start-up costs do not count; `ofBuild`: the same side with another engine build
   */
  constructor(about) {
    this.about = about;
    this.#amount = about.leastAmount;
    this.key = about.key;
    this.label = about.label;
    /** @type {Record<string, unknown>} */
    this.facts = {};
  }

  /**
   * Starts, waits until the data is verified, warms up, and finds out how much work makes one round.
   * @param {{ roundMs: number, seed: number }} plan
   */
  async start({ roundMs, seed }) {
    const { env, oneCpu } = this.about;
    const line = [this.about.command, ...this.about.args];
    const [command, ...args] = oneCpu ? ['taskset', '-c', '0', ...line] : line;
    const child = spawn(command, args, { env: cleanEnvironment(env), stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child = child;
    child.on('error', (error) => {
      this.#stderr += error.message;
    });
    child.stdin.on('error', () => {}); // a dead child is reported by its missing answer
    child.stderr.on('data', (text) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_KEPT);
    });
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    this.facts = await this.#answer();
    await this.#calibrate(roundMs, seed);
  }

  /**
   * Finds the amount of work that makes one round; this is the warm-up too. It goes by the fastest run seen, so that a
   * run that was starved of CPU does not make all later rounds too short to mean anything.
   * @param {number} roundMs
   * @param {number} seed
   */
  async #calibrate(roundMs, seed) {
    let perMs = 0;
    const tryAmount = async () => {
      const wallMs = (await this.round(seed)).wall_ns / 1e6;
      perMs = Math.max(perMs, this.#amount / wallMs);
      return wallMs;
    };
    while ((await tryAmount()) < roundMs / 2) this.#amount *= 2;
    for (let i = 0; i < REFINEMENTS; i++) {
      this.#amount = Math.max(this.about.leastAmount, Math.round(perMs * roundMs));
      await tryAmount();
    }
  }

  /**
   * @param {number} seed
   * @returns {Promise<Round>}
   */
  round(seed) {
    this.#child?.stdin.write(`run ${this.#amount} ${seed}\n`);
    return this.#answer();
  }

  async #answer() {
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer in ${ANSWER_TIMEOUT_MS / 1000} s`)), ANSWER_TIMEOUT_MS);
    });
    try {
      const line = await Promise.race([this.#lines?.next(), late]);
      if (!line || line.done) throw new Error(await this.#howItEnded());
      const answer = JSON.parse(line.value);
      if (answer.error) throw new Error(answer.error);
      return answer;
    } finally {
      clearTimeout(timer);
    }
  }

  async #howItEnded() {
    const child = this.#child;
    if (child && child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      await new Promise((resolve) => child.once('exit', resolve));
    }
    const how = child?.signalCode ?? `exit code ${child?.exitCode}`;
    return `ended early, ${how}: ${this.#stderr.trim() || 'no message'}`;
  }

  async stop() {
    const child = this.#child;
    if (!child || child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.stdin.end();
    const timer = setTimeout(() => child.kill('SIGKILL'), 2000);
    await ended;
    clearTimeout(timer);
  }
}
