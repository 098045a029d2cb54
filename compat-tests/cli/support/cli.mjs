// Runs `ioengine` as a user does, in a process of its own.
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import { inRoot } from '../../../scripts/lib/paths.mjs';
import { runChild, startChild } from '../../helpers/child.mjs';

export const program = inRoot('dist', 'cli.js');

export const cli = (args, options = {}) => runChild({ file: program, args, ...options });
export const startCli = (args, options = {}) => startChild({ file: program, args, ...options });

/** All that --json has printed to standard output. */
export function jsonOf(child) {
  try {
    return JSON.parse(child.stdout);
  } catch {
    throw new Error(`no JSON: ${child.describe()}`);
  }
}

const digest = (file) => createHash('sha256').update(readFileSync(file)).digest('hex');

/** Every name below a folder with its type, permission bits and content; with `times`, the times of change too. */
export function treeOf(folder, { times = false } = {}) {
  const rows = {};
  const visit = (name) => {
    const full = path.join(folder, name);
    const stats = lstatSync(full);
    const content = stats.isFile() ? digest(full) : stats.isSymbolicLink() ? readlinkSync(full) : '';
    // The mode of a link says nothing.
    const mode = stats.isSymbolicLink() ? 'link' : stats.mode.toString(8);
    rows[name] = [mode, content, ...(times ? [stats.mtimeMs, stats.ctimeMs] : [])].join(' ');
    if (stats.isDirectory()) for (const entry of readdirSync(full)) visit(path.join(name, entry));
  };
  visit('.');
  return rows;
}
