// One side of a measurement as a child process that does a timed round on command (bench/workers/protocol.mjs).
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { cleanEnvironment } from './environment.mjs';

const ANSWER_TIMEOUT_MS = 120_000;
const STDERR_KEPT = 2000;

/**
 * @typedef {object} Round
 * @property {number} work in the case's own unit: reads or bytes
 * @property {number} wall_ns
 * @property {number} cpu_us of the whole process, all threads
 * @property {object} [lanes]
 */

export class ProcessSide {
  #child;
  /** @type {AsyncIterator<string> | undefined} */
  #lines;
  #stderr = '';
  #amount = 1;

  /**
   * @param {{ key: string, label: string, command: string, args: string[], env?: Record<string, string> }} about
   */
  constructor(about) {
    this.about = about;
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
    const { command, args, env } = this.about;
    this.#child = spawn(command, args, { env: cleanEnvironment(env), stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child.on('error', (error) => {
      this.#stderr += error.message;
    });
    this.#child.stdin.on('error', () => {}); // a dead child is reported by its missing answer
    this.#child.stderr.on('data', (text) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_KEPT);
    });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    this.facts = await this.#answer();
    await this.#calibrate(roundMs, seed);
  }

  /**
   * Doubles the amount until it takes a good part of a round, then scales it. This is the warm-up too.
   * @param {number} roundMs
   * @param {number} seed
   */
  async #calibrate(roundMs, seed) {
    let wallMs = 0;
    for (;;) {
      wallMs = (await this.round(seed)).wall_ns / 1e6;
      if (wallMs >= roundMs / 2) break;
      this.#amount *= 2;
    }
    this.#amount = Math.max(1, Math.round((this.#amount * roundMs) / wallMs));
    await this.round(seed);
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
      if (!line || line.done) throw new Error(`ended early: ${this.#stderr.trim() || 'no message'}`);
      const answer = JSON.parse(line.value);
      if (answer.error) throw new Error(answer.error);
      return answer;
    } finally {
      clearTimeout(timer);
    }
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
