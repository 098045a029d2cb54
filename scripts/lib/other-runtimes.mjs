// Bun and Deno from the npm registry: the platform packages' own binaries, no install scripts. Exact versions.
import { existsSync } from 'node:fs';
import { installInto } from './node-versions.mjs';
import { inRoot } from './paths.mjs';

const isArm = process.arch === 'arm64';

const RUNTIMES = {
  bun: { name: `@oven/bun-linux-${isArm ? 'aarch64' : 'x64'}`, version: '1.4.5', binary: 'bin/bun', args: [] },
  deno: { name: `@deno/linux-${isArm ? 'arm64' : 'x64'}-glibc`, version: '2.9.6', binary: 'deno', args: ['run', '-A'] },
};

export const runtimeNames = Object.keys(RUNTIMES);

/**
 * The command that runs a file on it, fetched when it is not there yet.
 * @returns {{ command: string[] } | { problem: string }}
 */
export function runtimeCommand(key) {
  const { name, version, binary, args } = RUNTIMES[key];
  const folder = inRoot('compat-tests', '.nodes', `${key}-${version}`);
  const file = `${folder}/node_modules/${name}/${binary}`;
  if (!existsSync(file)) {
    const problem = installInto(`${name}@${version}`, folder);
    if (problem) return { problem };
  }
  return { command: [file, ...args] };
}
