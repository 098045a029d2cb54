// Runs programs for the scripts. Failures become one clear line instead of a stack.
import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './paths.mjs';

/** A failure whose message is all that a reader needs. */
export class PlainError extends Error {}

export const say = (line) => process.stderr.write(`${line}\n`);

/** Is there an executable of this name on PATH? Some tools live in sbin, which PATH of a non-root user may lack. */
export function findProgram(name) {
  for (const folder of [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin']) {
    if (!folder) continue;
    const file = path.join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // not here: look in the next folder
    }
  }
  return undefined;
}

/** Runs to the end with our standard streams; throws when the program fails. stdout goes to stderr: it is no result. */
export function runLoudly(program, args, options = {}) {
  const result = spawnSync(program, args, { cwd: root, stdio: ['ignore', 2, 2], ...options });
  if (result.error) throw new PlainError(`${program} could not be started: ${result.error.message}`);
  if (result.status !== 0) {
    throw new PlainError(`${[path.basename(program), ...args].join(' ')} failed (${result.signal ?? result.status})`);
  }
}

/** Runs quietly and returns { status, stdout, stderr }. */
export function runQuietly(program, args, options = {}) {
  return spawnSync(program, args, { cwd: root, encoding: 'utf8', ...options });
}

/** Runs in the background, collecting output; resolves with { status, signal, output }. */
export function runCollecting(program, args, { timeout_ms = 0, ...options } = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], ...options });
    let output = '';
    let timedOut = false;
    const timer =
      timeout_ms > 0 &&
      setTimeout(() => {
        timedOut = true;
        child.kill('SIGKILL');
      }, timeout_ms);
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    child.on('error', (error) => resolve({ status: null, signal: null, output: String(error), timedOut }));
    child.on('close', (status, signal) => {
      if (timer) clearTimeout(timer);
      resolve({ status, signal, output, timedOut });
    });
  });
}

/** Calls work(item) for every item, at most `width` at a time; stops starting new ones after the first rejection. */
export async function inParallel(items, width, work) {
  const queue = [...items];
  const results = [];
  const lane = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
      try {
        results.push(await work(item));
      } catch (error) {
        queue.length = 0;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, width) }, lane));
  return results;
}

/** What a program says about itself: the comment that its file begins with. */
function usage(file) {
  const lines = readFileSync(file, 'utf8').split('\n');
  const end = lines.findIndex((line) => !line.startsWith('//'));
  return lines
    .slice(0, end)
    .map((line) => line.replace(/^\/\/ ?/, ''))
    .join('\n');
}

/** Runs a script's main and turns a PlainError into one line and exit code 1. */
export async function main(body) {
  if (process.argv.includes('--help')) return console.log(usage(process.argv[1]));
  try {
    await body();
  } catch (error) {
    say(error instanceof PlainError ? `ioengine: ${error.message}` : (error?.stack ?? String(error)));
    process.exitCode = 1;
  }
}
