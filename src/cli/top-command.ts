// `ioengine top -- COMMAND`: starts a command on the engine and shows what its threads' engines do. Each of them tells
// it by itself, over a socket: a program's first calls and its last are seen too.

import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { environmentWithEngine } from './program-environment';
import { Screen } from './screen';
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

/** Runs the command to its end; its exit code, as a shell would give it. */
export function runProgram(program: string[], env: NodeJS.ProcessEnv): Promise<number> {
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

/** Lines of threads that ended before they were connected. */
function readLeftBehind(folder: string, view: View, onMessage: Listener): void {
  for (const name of readdirSync(folder).filter((name) => name.startsWith('socket.'))) {
    const thread = {};
    for (const line of readFileSync(join(folder, name), 'utf8').split('\n').slice(0, -1)) {
      const message = JSON.parse(line) as Hello | Sample;
      view.hear(thread, message);
      onMessage(message);
    }
    view.lose(thread);
  }
}

/** Watches a command to its end; its exit code. */
export async function watchCommand(program: string[], milliseconds: number, json: boolean): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'ioengine-top-'));
  const path = join(folder, 'socket');
  const view = new View(milliseconds / 1000);
  // Where the command's own output goes to the same terminal, nothing of it is painted over.
  const screen = new Screen(process.stderr, process.stdout.isTTY !== true);
  const onMessage: Listener = json ? (message) => process.stderr.write(`${JSON.stringify(message)}\n`) : () => {};
  const { server, sockets } = await listen(path, view, onMessage);
  const timer = json ? undefined : setInterval(() => screen.show(view.lines()), milliseconds);
  try {
    const env = environmentWithEngine(process.env, 'top-preload.js');
    const code = await runProgram(program, { ...env, IOENGINE_TOP_SOCKET: path, IOENGINE_TOP_MS: `${milliseconds}` });
    await drained(sockets);
    readLeftBehind(folder, view, onMessage);
    clearInterval(timer);
    if (json) process.stderr.write(`${JSON.stringify({ kind: 'totals', ...view.totals() })}\n`);
    else process.stderr.write(`${view.totalLines().join('\n')}\n`);
    return code;
  } finally {
    clearInterval(timer);
    for (const socket of sockets) socket.destroy();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
