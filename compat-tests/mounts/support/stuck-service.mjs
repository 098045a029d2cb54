// Starts stuck-child.mjs and talks to it.
import { fileURLToPath } from 'node:url';
import { startChild } from '../../helpers/child.mjs';

const file = fileURLToPath(new URL('./stuck-child.mjs', import.meta.url));

/** The ways into the engine, and plain node: module and arguments of node. */
export const WAYS = {
  import: { module: 'ioengine/fs' },
  register: { module: 'node:fs', nodeArgs: ['--import', 'ioengine/register'] },
  node: { module: 'node:fs' },
};

export class StuckService {
  #child;
  #seen = 0;

  /** @param {{ way: keyof WAYS, mount: string, local: string, count: number, only?: string }} options */
  constructor({ way, mount, local, count, rounds = 20, only = '', ...rest }) {
    const { module, nodeArgs } = WAYS[way];
    const args = [mount, local, String(count), String(rounds), module, only];
    this.#child = startChild({ file, args, nodeArgs, ...rest });
  }

  async #answer() {
    const pattern = new RegExp(`^(?:.*\\n){${this.#seen}}(.*)\\n`);
    const [, line] = await this.#child.waitFor(pattern);
    this.#seen++;
    return JSON.parse(line);
  }

  ready() {
    return this.#answer();
  }

  ask(word) {
    this.#child.say(word);
    return this.#answer();
  }

  /** Milliseconds from the word `exit` to the end of the process. */
  async exit() {
    const started = performance.now();
    this.#child.say('exit');
    await this.#child.ended();
    return { ms: performance.now() - started, child: this.#child };
  }

  kill() {
    this.#child.kill('SIGKILL');
  }
}
