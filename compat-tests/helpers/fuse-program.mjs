// The C programs of fixtures/: compiled when they are first needed, and those that serve FUSE
// started so that they go when the test does.
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { hasProgram, quote, run } from '../fixtures/resource.mjs';
import { patience_ms } from './patience.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const buildFolder = path.join(here, '..', '.build');

/** Why no FUSE program can serve a mount here, or undefined. `programs`: what else has to be installed. */
export function fuseObstacle(...programs) {
  if (process.platform !== 'linux') return 'mounting FUSE needs Linux';
  if (process.getuid() !== 0) return 'mounting needs root';
  if (!fs.existsSync('/dev/fuse')) return 'there is no /dev/fuse';
  const missing = ['gcc', 'pkg-config', 'mount', ...programs].find((program) => !hasProgram(program));
  if (missing !== undefined) return `the program ${missing} is not installed`;
  if (spawnSync('pkg-config', ['--exists', 'fuse3']).status !== 0) return 'libfuse3-dev is not installed';
  return undefined;
}

/** Compiles NAME.c of fixtures/ unless that is done, and returns the program's path. */
export function buildFixture(name, { headers = [], flags = () => [] } = {}) {
  const program = path.join(buildFolder, name);
  const sources = [`${name}.c`, ...headers].map((file) => path.join(here, '..', 'fixtures', file));
  const built = fs.statSync(program, { throwIfNoEntry: false });
  if (built !== undefined && built.mtimeMs >= Math.max(...sources.map((file) => fs.statSync(file).mtimeMs))) {
    return program;
  }
  fs.mkdirSync(buildFolder, { recursive: true });
  // Under another name first: several test processes may build at the same time.
  const partial = `${program}.${process.pid}`;
  run('gcc', ['-O2', '-g', '-std=gnu11', '-Wall', '-Wextra', '-o', partial, sources[0], ...flags()]);
  fs.renameSync(partial, program);
  return program;
}

/** The same for one that serves FUSE. */
export const buildFuseProgram = (name, headers = []) =>
  buildFixture(name, {
    headers,
    flags: () => run('pkg-config', ['--cflags', '--libs', 'fuse3']).trim().split(/\s+/),
  });

/** Starts a program that says "ready" once `target` is mounted; the resource's end is its end. */
export function startFuseServer(resource, program, args, target) {
  fs.mkdirSync(target);
  const server = spawn(program, [...args, target], { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const word = quote(target);
  resource.undo(
    `umount ${word} 2>/dev/null || umount -l ${word} 2>/dev/null; sleep 0.05; kill ${server.pid ?? ''} 2>/dev/null`,
  );
  const name = path.basename(program);
  return new Promise((resolve, reject) => {
    let words = '';
    const timer = setTimeout(() => reject(new Error(`${name} did not start: ${words}`)), patience_ms);
    server.stderr.on('data', (chunk) => {
      words += chunk;
    });
    server.once('error', reject);
    server.once('exit', (status) => {
      clearTimeout(timer);
      reject(new Error(`${name} ended with status ${status}: ${words}`));
    });
    server.stdout.once('data', () => {
      clearTimeout(timer);
      server.unref();
      server.stdout.destroy();
      server.stderr.destroy();
      resolve(server);
    });
  });
}
