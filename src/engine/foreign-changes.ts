// Calls that node:fs serves beside those of the engine.

import { runningEngine } from './backend-choice';

/** Tells the engine of one: no later call is to be answered ahead of it. */
export function announceChange(): void {
  runningEngine()?.native.pathsChangeElsewhere();
}
