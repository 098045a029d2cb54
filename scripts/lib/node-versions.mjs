// The versions of Node that the suite runs on, from the npm registry: the platform package's own binary, no install
// scripts. Exact versions, so that the same commit is tested with the same Nodes tomorrow.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { inRoot } from './paths.mjs';
import { findProgram } from './run.mjs';

/** To test with a newer one, write it here. */
const VERSIONS = { 20: '20.20.2', 22: '22.23.3', 24: '24.21.0', 26: '26.10.0' };

export const majors = Object.keys(VERSIONS).map(Number);
export const pinnedVersionOf = (major) => VERSIONS[major];
export const runningMajor = Number(process.versions.node.split('.')[0]);

const INSTALL_MS_MAX = 180_000;

/**
 * The binary of a major version, fetched when it is not there yet.
 * @returns {{ binary: string, version: string } | { problem: string }}
 */
export function nodeBinary(major) {
  if (major === runningMajor) return { binary: process.execPath, version: process.versions.node };
  const version = VERSIONS[major];
  const name = `node-${process.platform}-${process.arch}`;
  const folder = inRoot('compat-tests', '.nodes', version);
  const binary = inRoot('compat-tests', '.nodes', version, 'node_modules', name, 'bin', 'node');
  if (!existsSync(binary)) {
    const problem = installInto(`${name}@${version}`, folder);
    if (problem) return { problem };
  }
  const found = spawnSync(binary, ['--version'], { encoding: 'utf8' });
  if (found.stdout?.trim() === `v${version}`) return { binary, version };
  rmSync(folder, { recursive: true, force: true });
  return { problem: `the binary of ${name}@${version} does not run: ${found.stderr || found.error?.message}` };
}

/** Fetches a package; `more`: options of npm's. Returns what went wrong, if anything did. */
export function installInto(spec, folder, more = []) {
  if (!findProgram('npm')) return `there is no npm to fetch ${spec} with`;
  mkdirSync(folder, { recursive: true });
  const args = ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', ...more];
  const child = spawnSync('npm', [...args, '--prefix', folder, spec], { encoding: 'utf8', timeout: INSTALL_MS_MAX });
  if (child.status === 0) return undefined;
  rmSync(folder, { recursive: true, force: true });
  const said = child.stderr?.trim().split('\n').at(-1) || child.error?.message || child.signal;
  return `${spec} could not be fetched: ${said}`;
}
