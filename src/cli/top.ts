// `ioengine top -- COMMAND`: starts a command on the engine and shows what its threads' engines do.
//
// There is no `top PID`. A process would have to listen for whoever may come to watch: on a socket, which is a file, a
// descriptor and an open door for each process and thread, or for a signal, which is the program's. Either costs what
// nobody watches.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Command, DONE, numberOption, UsageError, type Values } from './command';
import { environmentWithEngine } from './program-environment';
import type { Hello, Sample } from './top-protocol';
import { View } from './top-view';

type Listener = (message: Hello | Sample) => void;

function listen(path: string, view: View, onMessage: Listener): Promise<{ server: Server; sockets: Set<Socket> }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => {
      sockets.delete(socket);
      view.lose(socket);
    });
    createInterface({ input: socket }).on('line', (line) => {
      try {
        const message = JSON.parse(line) as Hello | Sample;
        view.hear(socket, message);
        onMessage(message);
      } catch {
        // Half a line, of a process that was killed.
      }
    });
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject).listen(path, () => resolve({ server, sockets }));
  });
}

/** Prints over what it has printed before, where nothing else writes to the terminal. */
class Screen {
  #lines = 0;
  readonly #repaints = process.stderr.isTTY === true && process.stdout.isTTY !== true;

  show(lines: readonly string[]): void {
    if (this.#repaints && this.#lines > 0) process.stderr.write(`\x1b[${this.#lines}A\x1b[J`);
    process.stderr.write(`${lines.join('\n')}\n`);
    this.#lines = lines.length;
  }
}

/** Runs the command to its end; its exit code, as a shell would give it. */
function runProgram(program: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const [command, ...args] = program as [string, ...string[]];
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, stdio: 'inherit' });
    // A terminal gives these to the whole group; what comes to us alone is handed on.
    const forward = (signal: NodeJS.Signals): void => {
      child.kill(signal);
    };
    const ignore = (): void => {};
    process.on('SIGTERM', forward).on('SIGINT', ignore);
    child.on('error', (error) => reject(new Error(`${command} cannot be started: ${error.message}`)));
    child.on('exit', (code, signal) => {
      process.off('SIGTERM', forward).off('SIGINT', ignore);
      resolve(code ?? 128 + constants.signals[signal!]);
    });
  });
}

const LAST_WORDS_MS = 500;

/** Waits for the last lines of what the end of the program has closed; what has outlived it is not waited for. */
async function drained(sockets: Set<Socket>): Promise<void> {
  const closed = [...sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
  let timer: NodeJS.Timeout | undefined;
  const enough = new Promise((resolve) => {
    timer = setTimeout(resolve, LAST_WORDS_MS);
  });
  await Promise.race([Promise.all(closed), enough]);
  clearTimeout(timer);
}

async function watch(program: string[], values: Values): Promise<number> {
  const milliseconds = numberOption(values, 'interval', 1000, 20);
  const folder = mkdtempSync(join(tmpdir(), 'ioengine-top-'));
  const path = join(folder, 'socket');
  const view = new View(milliseconds / 1000);
  const screen = new Screen();
  const onMessage: Listener = values.json
    ? (message) => process.stderr.write(`${JSON.stringify(message)}\n`)
    : () => {};
  const { server, sockets } = await listen(path, view, onMessage);
  const timer = values.json ? undefined : setInterval(() => screen.show(view.lines()), milliseconds);
  try {
    const env = environmentWithEngine(process.env, 'top-preload.js');
    const code = await runProgram(program, { ...env, IOENGINE_TOP_SOCKET: path, IOENGINE_TOP_MS: `${milliseconds}` });
    await drained(sockets);
    clearInterval(timer);
    if (values.json) process.stderr.write(`${JSON.stringify({ kind: 'totals', ...view.totals() })}\n`);
    else process.stderr.write(`${view.totalLines().join('\n')}\n`);
    return code;
  } finally {
    clearInterval(timer);
    for (const socket of sockets) socket.destroy();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function run(values: Values, positionals: string[], program: string[] | undefined): Promise<number> {
  if (positionals.length > 0) {
    throw new UsageError('a running process cannot be watched, see --help. Start it with: ioengine top -- COMMAND');
  }
  if (program === undefined || program.length === 0) throw new UsageError('it takes -- and a command');
  return (await watch(program, values)) ?? DONE;
}

export const top: Command = {
  name: 'top',
  summary: "a command's lanes, calls in flight and slow calls, while it runs",
  usage: ['[OPTION ...] -- COMMAND [ARGUMENT ...]'],
  about:
    'Starts COMMAND with --import ioengine/register and shows on standard error what the engine does in each of its ' +
    'Node.js processes and Workers: calls per second by lane, bytes, calls in flight and waiting, slow calls. Standard ' +
    'input and output are the command’s own. A process that runs already cannot be watched: it would have to keep a ' +
    'socket or a signal handler ready all the time, which costs every program what few need.',
  takesProgram: true,
  options: {
    interval: { type: 'string', value: 'MS', help: 'time between two looks (1000)' },
    json: { type: 'boolean', help: 'each look as a line of JSON' },
  },
  notes: [
    [
      'exit',
      "COMMAND's own exit code, 128 and the number of the signal that ended it, or 1 where it cannot be started",
    ],
  ],
  run,
};
