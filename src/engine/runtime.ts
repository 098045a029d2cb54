// The engine as the layers above use it: the addon's accepting functions, started at the first use, with node:fs behind
// it where there is none.

import { isBuiltin } from 'node:module';
import { filesAreSimulated } from '../internal/host-binding';
import { type Addon, FLAG_TRUSTED, NOT_TAKEN } from '../native/addon';
import { startEngine, whenStarted } from './choice';
import { connect } from './requests';
import { countDelegated } from './stats';

const exitHooks: (() => boolean)[] = [];

/** Runs `hook` when the process exits, after every accepted write has settled. True: it has asked for more writes. */
export function whenExiting(hook: () => boolean): void {
  exitHooks.push(hook);
}

whenStarted((native) => {
  connect(native);
  // process.exit() and an uncaught throw run no cleanup hook on the main thread (H7): accepted writes are completed
  // here, as node completes them (H28).
  process.on('exit', () => {
    native.settleWrites();
    if (exitHooks.map((hook) => hook()).includes(true)) native.settleWrites();
  });
});

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

export { countDelegated, FLAG_TRUSTED, NOT_TAKEN };
