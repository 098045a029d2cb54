// What a figure was measured on, printed with it and kept in the JSON.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import { repoFolder } from './paths.mjs';

/** @param {string} path of the file that is read */
export function machineFacts(path) {
  const cpus = os.cpus();
  return {
    kernel: os.release(),
    cpu: cpus[0]?.model ?? 'unknown',
    cpus: cpus.length,
    memory_gib: Math.round(os.totalmem() / 2 ** 30),
    filesystem: filesystemOf(path),
    node: process.version,
    libuv: process.versions.uv,
    ioengine: commit(),
    load_at_start: os.loadavg()[0],
    date: new Date().toISOString(),
  };
}

/** The type and the device of the mount that holds the file. @param {string} path */
function filesystemOf(path) {
  const real = fs.realpathSync(path);
  const inside = (/** @type {string} */ mount) => mount === '/' || real === mount || real.startsWith(`${mount}/`);
  const mounts = fs
    .readFileSync('/proc/self/mounts', 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, mount]) => inside(mount))
    .sort((a, b) => a[1].length - b[1].length);
  const last = mounts.at(-1);
  return last ? `${last[2]} on ${last[0]}` : 'unknown';
}

function commit() {
  const git = (/** @type {string[]} */ ...args) =>
    execFileSync('git', ['-C', repoFolder, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    const changed = git('status', '--porcelain', '--', 'csrc', 'src', 'binding.gyp') !== '';
    return git('rev-parse', '--short', 'HEAD') + (changed ? ' with uncommitted changes' : '');
  } catch {
    return 'unknown (no git)';
  }
}

/** CPU time that everything on this machine has used, in µs (10 ms resolution): to see what others do meanwhile. */
export function machineCpu_us() {
  const [user, nice, system] = fs
    .readFileSync('/proc/stat', 'utf8')
    .split('\n', 1)[0]
    .trim()
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return (user + nice + system) * 10_000;
}

/** CPU time of this process and of its children that have ended, in µs (10 ms resolution). */
export function ownCpu_us() {
  const stat = fs.readFileSync('/proc/self/stat', 'utf8');
  const [user, system, childUser, childSystem] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 15)
    .map(Number);
  return (user + system + childUser + childSystem) * 10_000;
}
