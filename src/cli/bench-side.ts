// One side of a measurement: a process of its own that is told over its IPC channel what to do, and blocks between
// rounds. Plain node's side never loads the engine.

import { type FileSystem, pass, type Task, verifiedPass, type Work } from './bench-tasks';

export interface Order {
  id: number;
  task: Task;
  /** `verify`: one pass, its digest. Else so many passes, or operations of a task without an end. */
  verify: boolean;
  passes: number;
  seed: number;
}

export interface Answer extends Partial<Work> {
  id: number;
  digest?: string;
  seconds?: number;
  cpuSeconds?: number;
  error?: string;
  /** Operations per lane since the side has begun. */
  lanes?: Record<string, number>;
}

export const ENGINE_SIDE = 'engine';

const isEngine = process.argv[3] === ENGINE_SIDE;

function lanes(): Record<string, number> | undefined {
  if (!isEngine) return undefined;
  const { stats } = require('../index') as typeof import('../index');
  return Object.fromEntries(Object.entries(stats().lanes).map(([name, { operations }]) => [name, operations]));
}

const RANDOM_OPERATIONS = 64;

async function timed(fs: FileSystem, { task, passes, seed }: Order): Promise<Partial<Answer>> {
  const cpuBefore = process.cpuUsage();
  const start = process.hrtime.bigint();
  const total: Work = { operations: 0, bytes: 0 };
  const isEndless = task.kind === 'random';
  for (let index = 0; index < (isEndless ? 1 : passes); index++) {
    const { operations, bytes } = await pass(fs, task, passes * RANDOM_OPERATIONS, seed + index);
    total.operations += operations;
    total.bytes += bytes;
  }
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  const { user, system } = process.cpuUsage(cpuBefore);
  return { ...total, seconds, cpuSeconds: (user + system) / 1e6 };
}

/** Serves orders until the channel is closed. */
export function serve(): void {
  if (process.send === undefined) {
    process.stderr.write('ioengine bench-side is started by ioengine bench\n');
    process.exit(2);
  }
  const fs = (isEngine ? require('../fs') : require('node:fs')) as FileSystem;
  process.on('message', async (order: Order) => {
    let answer: Partial<Answer>;
    try {
      answer = order.verify ? { digest: await verifiedPass(fs, order.task) } : await timed(fs, order);
    } catch (error) {
      answer = { error: (error as Error).message };
    }
    process.send!({ id: order.id, ...answer, lanes: lanes() });
  });
}
