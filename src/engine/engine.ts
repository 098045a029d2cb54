// The engine of this thread as the layers above use it: the addon, with a backend started at the first use. Undefined
// where node:fs serves everything.

import { isBuiltin } from 'node:module';
import type { Addon } from '../native/addon';
import { filesAreSimulated } from '../node/binding';
import { startEngine, whenStarted } from './backend-choice';
import { connect } from './requests';

// Accepted writes are completed when the process ends, without any JavaScript: csrc/binding/process_exit.h.
whenStarted(connect);

let native: Addon | undefined;

/** The addon, with the engine of this thread started; undefined where or while node:fs serves everything. */
export function engine(): Addon | undefined {
  if (native === undefined) native = startEngine()?.native;
  return filesAreSimulated() ? undefined : native;
}

/** The same for what the engine has begun or opened: it stays the engine's, whatever is put into node meanwhile. */
export function startedEngine(): Addon | undefined {
  return native;
}

// With --experimental-vfs (Node 26), and only then, this module exists: a path may lead to a file that only node knows.
const pathsMayBeVirtual = isBuiltin('node:vfs');

/**
 * True where the engine must leave paths alone: with --permission node checks each path, so node opens them.
 * https://nodejs.org/api/permissions.html
 */
export function pathsAreGuarded(): boolean {
  return pathsMayBeVirtual || (process as { permission?: unknown }).permission !== undefined;
}
