// What a watched thread tells: lines of JSON, a hello and then samples.

import type Engine = require('../index');

/** What is published on `ioengine:slow` may come from another version of the engine. */
export type SlowCall = Partial<Engine.CallInFlight> & Record<string, unknown>;

export interface Hello {
  kind: 'hello';
  pid: number;
  threadId: number;
  script: string;
  node: string;
}

export interface Sample {
  kind: 'sample';
  pid: number;
  threadId: number;
  rss: number;
  stats: Engine.Stats;
  /** Calls that ended since the last sample and were slow, and those that are in flight. */
  slow: SlowCall[];
  calls: SlowCall[];
}
