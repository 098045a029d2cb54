// What `top` knows of the threads it watches, and the table of it.

import { basename } from 'node:path';
import { bytes, table } from './text';
import type { Hello, Sample, SlowCall } from './top-protocol';

interface Thread {
  hello: Hello;
  latest?: Sample;
  before?: Sample;
  gone: boolean;
  slow: SlowCall[];
}

type LaneName = keyof Sample['stats']['lanes'];
const LANES: readonly LaneName[] = ['inline', 'uring', 'aio', 'threads', 'delegated'];
const SLOW_SHOWN = 5;

/** A call as text, whatever of it is told: function, path or descriptor, mount, lane, age. */
function callText(call: SlowCall): string {
  return Object.entries(call)
    .filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value))
    .map(([name, value]) => `${name} ${typeof value === 'number' ? Number(value.toFixed(1)) : value}`)
    .join(', ');
}

const rate = (count: number, seconds: number): string => Math.round(count / seconds).toLocaleString('en-US');

export class View {
  readonly #threads = new Map<object, Thread>();

  constructor(private readonly seconds: number) {}

  hear(connection: object, message: Hello | Sample): void {
    if (message.kind === 'hello') {
      this.#threads.set(connection, { hello: message, gone: false, slow: [] });
      return;
    }
    const thread = this.#threads.get(connection);
    if (thread === undefined) return;
    thread.before = thread.latest;
    thread.latest = message;
    thread.slow = [...message.slow, ...thread.slow].slice(0, SLOW_SHOWN);
  }

  lose(connection: object): void {
    const thread = this.#threads.get(connection);
    if (thread !== undefined) thread.gone = true;
  }

  #rowOf({ hello, latest, before }: Thread): string[] {
    const name = `${hello.pid}${hello.threadId === 0 ? '' : `/${hello.threadId}`}`;
    const lanes = latest?.stats.lanes;
    const counts = LANES.map((lane) => {
      const now = lanes?.[lane].operations ?? 0;
      return rate(now - (before?.stats.lanes[lane].operations ?? 0), this.seconds);
    });
    const moved = LANES.reduce(
      (sum, lane) => sum + (lanes?.[lane].bytes ?? 0) - (before?.stats.lanes[lane].bytes ?? 0),
      0,
    );
    const { inFlight = 0, queued = 0 } = latest?.stats ?? {};
    return [
      name,
      ...counts,
      `${bytes(moved / this.seconds)}/s`,
      `${inFlight}`,
      `${queued}`,
      latest === undefined ? '–' : bytes(latest.rss),
      basename(hello.script),
    ];
  }

  /** The table of this interval. */
  lines(): string[] {
    const threads = [...this.#threads.values()].filter(({ gone }) => !gone);
    const heading = ['pid', ...LANES.map((lane) => `${lane}/s`), 'bytes', 'in flight', 'queued', 'memory', 'program'];
    const calls = threads.flatMap(({ latest }) => latest?.calls ?? []).slice(0, SLOW_SHOWN);
    const slow = threads.flatMap((thread) => thread.slow).slice(0, SLOW_SHOWN);
    return [
      ...table(
        heading,
        threads.map((thread) => this.#rowOf(thread)),
      ),
      ...calls.map((call) => `  in flight: ${callText(call)}`),
      ...slow.map((call) => `  slow: ${callText(call)}`),
    ];
  }

  /** What all threads have done from start to end, those that have ended included. */
  totals(): { threads: number; lanes: Record<LaneName, { operations: number; bytes: number }> } {
    const threads = [...this.#threads.values()];
    const lanes = Object.fromEntries(
      LANES.map((lane) => {
        const all = threads.map(({ latest }) => latest?.stats.lanes[lane] ?? { operations: 0, bytes: 0 });
        const sum = (name: 'operations' | 'bytes'): number => all.reduce((total, one) => total + one[name], 0);
        return [lane, { operations: sum('operations'), bytes: sum('bytes') }];
      }),
    ) as Record<LaneName, { operations: number; bytes: number }>;
    return { threads: threads.length, lanes };
  }

  totalLines(): string[] {
    const { threads, lanes } = this.totals();
    if (threads === 0) return ['no Node.js process was seen: is the command one, and does it keep NODE_OPTIONS?'];
    const rows = LANES.map((lane) => [lane, lanes[lane].operations.toLocaleString('en-US'), bytes(lanes[lane].bytes)]);
    return [`in all, ${threads} thread${threads === 1 ? '' : 's'} seen:`, ...table(['lane', 'calls', 'bytes'], rows)];
  }
}
