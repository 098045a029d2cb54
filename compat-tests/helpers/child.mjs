// Runs a piece of JavaScript in a process of its own, so that a crash, an exit or a hang is a result and not the end
// of the test run.
//
//   const child = await runChild({ code: `import fs from 'ioengine/fs'; …`, env: { IOENGINE_BACKEND: 'aio' } });
//   child.status, child.signal, child.timedOut, child.stdout, child.stderr, child.json() (last line of stdout)
//
// With `code`, `args` are process.argv.slice(1). `node` is another node, `launcher` a command that starts it.
// With `strace` the same runs under strace; child.trace then holds its lines.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { patience_ms } from './patience.mjs';

/** The top of the repository: children start there, so that `ioengine/fs` resolves to this package. */
export const repositoryRoot = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');

function straceArguments(strace, traceFile) {
  const args = ['-f', '-qq', '-o', traceFile];
  if (strace.times) {
    args.push('-T'); // how long each took, at the end of its line
  }
  if (strace.named) {
    args.push('-y'); // what each descriptor is, beside its number
  }
  if (strace.path !== undefined) {
    args.push('-P', strace.path); // only system calls that touch this file
  }
  for (const expression of [strace.trace ?? []].flat()) {
    args.push('-e', `trace=${expression}`);
  }
  for (const expression of [strace.inject ?? []].flat()) {
    args.push('-e', `inject=${expression}`);
  }
  return args;
}

const running = new Set();
// They have process groups of their own, so the end of this process is not theirs.
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

class Child {
  #process;
  #ended;
  #traceFile;
  #waiters = new Set();

  constructor(options) {
    const { code, file, args = [], nodeArgs = [], env = {}, strace, cwd = repositoryRoot } = options;
    const { node = process.execPath, launcher = [] } = options;
    const script = file === undefined ? ['--input-type=module', '-e', code, '--'] : [file];
    let command = [...launcher, node, ...nodeArgs, ...script, ...args];
    if (strace !== undefined) {
      this.#traceFile = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'ioengine-trace-')), 'trace');
      command = ['strace', ...straceArguments(strace, this.#traceFile), '--', ...command];
    }
    this.stdout = '';
    this.stderr = '';
    this.timedOut = false;
    const started = performance.now();
    const childEnv = Object.fromEntries(
      Object.entries({ ...process.env, ...env }).filter(([, value]) => value !== undefined),
    );
    // A process group of its own: ending it ends strace and node alike.
    this.#process = spawn(command[0], command.slice(1), { cwd, env: childEnv, detached: true, stdio: 'pipe' });
    this.pid = this.#process.pid;
    running.add(this);
    this.stdin = this.#process.stdin;
    this.stdin.on('error', () => {});
    for (const stream of ['stdout', 'stderr']) {
      this.#process[stream].setEncoding('utf8').on('data', (text) => {
        this[stream] += text;
        this.#wake();
      });
    }
    const timer = setTimeout(() => {
      this.timedOut = true;
      this.kill('SIGKILL');
    }, options.timeoutMs ?? patience_ms);
    this.#ended = new Promise((resolve, reject) => {
      this.#process.once('error', (error) => {
        running.delete(this);
        reject(error);
      });
      this.#process.once('close', (status, signal) => {
        clearTimeout(timer);
        running.delete(this);
        this.status = status;
        this.signal = signal;
        this.elapsedMs = performance.now() - started;
        this.#collectTrace();
        this.over = true;
        this.#wake();
        resolve(this);
      });
    });
  }

  /** Resolves with this child when it is over. */
  ended() {
    return this.#ended;
  }

  /** Resolves with the first match in what it has printed; rejects when the child ends without it. */
  async waitFor(pattern, stream = 'stdout') {
    for (;;) {
      const match = pattern.exec(this[stream]);
      if (match !== null) {
        return match;
      }
      if (this.over) {
        throw new Error(`the child ended without saying ${pattern}: ${this.describe()}`);
      }
      await new Promise((resolve) => this.#waiters.add(resolve));
    }
  }

  say(line) {
    this.stdin.write(`${line}\n`);
  }

  kill(signal = 'SIGTERM') {
    try {
      process.kill(-this.pid, signal);
    } catch (error) {
      if (error.code !== 'ESRCH') {
        throw error;
      }
    }
  }

  /** The last line of stdout as JSON. */
  json() {
    const line = this.stdout.trim().split('\n').at(-1);
    try {
      return JSON.parse(line);
    } catch {
      throw new Error(`the child printed no result: ${this.describe()}`);
    }
  }

  /** One line for an assertion's message. */
  describe() {
    const how = this.timedOut ? 'timed out' : `status ${this.status}, signal ${this.signal}`;
    return `${how}; stdout ${JSON.stringify(this.stdout.slice(-500))}; stderr ${JSON.stringify(this.stderr.slice(-2000))}`;
  }

  #wake() {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const wake of waiters) {
      wake();
    }
  }

  #collectTrace() {
    if (this.#traceFile === undefined) {
      return;
    }
    const text = fs.existsSync(this.#traceFile) ? fs.readFileSync(this.#traceFile, 'utf8') : '';
    this.trace = text.split('\n').filter((line) => line !== '');
    this.injected = this.trace.filter((line) => line.includes('(INJECTED)')).length;
    fs.rmSync(path.dirname(this.#traceFile), { recursive: true, force: true });
  }
}

/** Starts a child and returns at once: for tests that watch it or talk to it while it runs. */
export function startChild(options) {
  return new Child(options);
}

/** Runs a child to its end; never rejects for what the child does. */
export function runChild(options) {
  return new Child(options).ended();
}

/** Runs `count` children, `atOnce` of them side by side, and returns them all. */
export async function runChildren(count, optionsOf, atOnce = os.availableParallelism() * 2) {
  const results = new Array(count);
  let next = 0;
  const lane = async () => {
    while (next < count) {
      const index = next++;
      results[index] = await runChild(optionsOf(index));
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, lane));
  return results;
}

/** What /proc says about a process: thread names, descriptors (number -> what it is), resident memory. */
export function processFacts(pid = 'self') {
  const folder = `/proc/${pid}`;
  const fields = Object.fromEntries(
    fs
      .readFileSync(`${folder}/status`, 'latin1')
      .split('\n')
      .map((line) => line.split(':\t')),
  );
  const descriptors = {};
  for (const fd of fs.readdirSync(`${folder}/fd`)) {
    try {
      descriptors[fd] = fs.readlinkSync(`${folder}/fd/${fd}`);
    } catch {
      // Closed meanwhile: the descriptor that lists the folder, for one.
    }
  }
  return {
    tasks: fs.readdirSync(`${folder}/task`).length,
    descriptors,
    rssBytes: Number.parseInt(fields.VmRSS, 10) * 1024,
    peakRssBytes: Number.parseInt(fields.VmHWM, 10) * 1024,
  };
}
