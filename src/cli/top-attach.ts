// What `ioengine top PID` puts into each thread of a program that runs: as text, through the inspector. So it uses
// nothing but what every thread of Node.js has, and the engine by its public functions.

import type * as Engine from '../index';
import type { Hello, Sample, SlowCall } from './top-protocol';

/** What stays in the thread while it is watched. */
export interface Attached {
  hello: Hello;
  sample(): Sample;
  detach(): void;
}

type Builtin = (name: string) => unknown;

/** Undefined in a thread that has not loaded ioengine. */
export function attach(requireOfInspector: Builtin | undefined): Attached | undefined {
  const slowMax = 100;
  const builtin: Builtin = process.getBuiltinModule ?? requireOfInspector;
  const Module = builtin('node:module') as typeof import('node:module') & { _cache: Record<string, NodeModule> };
  const { threadId } = builtin('node:worker_threads') as typeof import('node:worker_threads');
  const channels = builtin('node:diagnostics_channel') as typeof import('node:diagnostics_channel');
  // Each of the package's own files is in this list once it has been loaded, also by an import.
  const own = Object.entries(Module._cache).find(
    ([file, module]) =>
      /[\\/]dist[\\/](?:fs|register|rest)\.js$/.test(file) && ('$load' in module || '$load' in Object(module.exports)),
  );
  if (own === undefined) return undefined;
  const { stats, inFlight } = Module.createRequire(own[0])('./index.js') as typeof Engine;
  let slow: SlowCall[] = [];
  const listen = (message: unknown): void => {
    if (slow.length < slowMax) slow.push({ ...(message as SlowCall) });
  };
  channels.subscribe('ioengine:slow', listen);
  const script = threadId === 0 ? (process.argv[1] ?? process.execPath) : 'a Worker';
  return {
    hello: { kind: 'hello', pid: process.pid, threadId, script, node: process.version },
    sample() {
      const { rss } = process.memoryUsage();
      const calls = inFlight()
        .slice(0, slowMax)
        .map((call) => ({ ...call }));
      const sample: Sample = { kind: 'sample', pid: process.pid, threadId, rss, stats: stats(), slow, calls };
      slow = [];
      return sample;
    },
    detach() {
      channels.unsubscribe('ioengine:slow', listen);
    },
  };
}
