// Both sides, in turn: which starts alternates from round to round, only one works at a time, and the ratio is taken
// round by round, so that what the machine does to both at once cancels out.

import { type ChildProcess, fork } from 'node:child_process';
import { type Answer, ENGINE_SIDE, type Order } from './bench-side';
import type { Task } from './bench-tasks';
import { type Spread, spreadOf } from './spread';

interface Side {
  name: string;
  process: ChildProcess;
}

export interface Result {
  task: Task;
  /** Operations a second. */
  node: Spread;
  engine: Spread;
  /** Engine against node, of each round. */
  ratio: Spread;
  /** CPU time of an operation, engine against node. */
  cpuRatio: Spread;
  /** Operations per lane of the engine's side during this task. */
  lanes: Record<string, number>;
}

function environmentOf(isEngine: boolean): NodeJS.ProcessEnv {
  const { IOENGINE_DISABLE: _, ...env } = process.env;
  // NODE_OPTIONS stays: it may set the heap. What of it loads the engine does nothing where the engine is disabled.
  return isEngine ? env : { ...env, IOENGINE_DISABLE: '1' };
}

function start(name: string): Side {
  const isEngine = name === ENGINE_SIDE;
  const child = fork(process.argv[1]!, ['bench-side', name], { env: environmentOf(isEngine), execArgv: [] });
  return { name, process: child };
}

let lastId = 0;

function tell(side: Side, order: Omit<Order, 'id'>): Promise<Answer> {
  const id = ++lastId;
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      side.process.off('message', onMessage).off('exit', onExit);
    };
    const onMessage = (answer: Answer): void => {
      if (answer.id !== id) return;
      settle();
      if (answer.error === undefined) resolve(answer);
      else reject(new Error(`${order.task.name} on ${side.name}: ${answer.error}`));
    };
    const onExit = (code: number | null, signal: string | null): void => {
      settle();
      reject(new Error(`the process of ${side.name} ended with ${signal ?? code} during ${order.task.name}`));
    };
    side.process.on('message', onMessage).on('exit', onExit);
    side.process.send({ ...order, id });
  });
}

async function verify(sides: Side[], task: Task): Promise<void> {
  const digests: (string | undefined)[] = [];
  for (const side of sides) digests.push((await tell(side, { task, verify: true, passes: 1, seed: 1 })).digest);
  if (digests[0] !== digests[1]) {
    throw new Error(`${task.name}: node and the engine came to different contents. Were files changed meanwhile?`);
  }
}

/** Passes that take about one round on the slower side, and what the engine has counted by then. */
async function calibrate(
  sides: Side[],
  task: Task,
  roundSeconds: number,
): Promise<{ passes: number; lanes: Answer['lanes'] }> {
  let passes = 1;
  for (;;) {
    let slowest = 0;
    let lanes: Answer['lanes'];
    for (const side of sides) {
      const answer = await tell(side, { task, verify: false, passes, seed: 1 });
      slowest = Math.max(slowest, answer.seconds!);
      lanes = answer.lanes ?? lanes;
    }
    if (slowest >= roundSeconds / 2) {
      return { passes: Math.max(1, Math.round((passes * roundSeconds) / slowest)), lanes };
    }
    passes = Math.ceil(passes * Math.min(16, Math.max(2, roundSeconds / slowest)));
  }
}

const lanesBetween = (before: Answer['lanes'], after: Answer['lanes']): Record<string, number> =>
  Object.fromEntries(Object.entries(after ?? {}).map(([name, count]) => [name, count - (before?.[name] ?? 0)]));

async function measure(sides: [Side, Side], task: Task, { rounds, roundSeconds }: Rounds): Promise<Result> {
  await verify(sides, task);
  const { passes, lanes: before } = await calibrate(sides, task, roundSeconds);
  const answers: Record<string, Answer[]> = {};
  for (let round = 0; round < rounds; round++) {
    const order = { task, verify: false, passes, seed: 100 + round };
    for (const side of round % 2 === 0 ? sides : [...sides].reverse()) {
      const answer = await tell(side, order);
      answers[side.name] = [...(answers[side.name] ?? []), answer];
    }
  }
  const [node, engine] = sides.map(({ name }) => answers[name]!) as [Answer[], Answer[]];
  const isEven = node.every(({ bytes }, round) => bytes === engine[round]!.bytes);
  if (!isEven)
    throw new Error(`${task.name}: the sides moved different numbers of bytes. Were files changed meanwhile?`);
  const rate = ({ operations, seconds }: Answer): number => operations! / seconds!;
  const cpu = ({ operations, cpuSeconds }: Answer): number => cpuSeconds! / operations!;
  return {
    task,
    node: spreadOf(node.map(rate)),
    engine: spreadOf(engine.map(rate)),
    ratio: spreadOf(engine.map((answer, round) => rate(answer) / rate(node[round]!))),
    cpuRatio: spreadOf(engine.map((answer, round) => cpu(answer) / cpu(node[round]!))),
    lanes: lanesBetween(before, engine.at(-1)!.lanes),
  };
}

export interface Rounds {
  rounds: number;
  /** How long one round of one side takes, more or less. */
  roundSeconds: number;
}

/** Measures each task; `onResult` is told as they end. */
export async function measureAll(tasks: Task[], rounds: Rounds, onResult: (result: Result) => void): Promise<Result[]> {
  const sides: [Side, Side] = [start('node'), start(ENGINE_SIDE)];
  try {
    const results: Result[] = [];
    for (const task of tasks) {
      const result = await measure(sides, task, rounds);
      results.push(result);
      onResult(result);
    }
    return results;
  } finally {
    for (const { process: child } of sides) child.disconnect();
  }
}
