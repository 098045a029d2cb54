// How long the event loop was held up, and in which order things happened.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { patience_ms } from './patience.mjs';

/**
 * Runs `work` and measures how late a 1 ms timer got its turn meanwhile.
 * @returns {Promise<{ maxMs: number, p99Ms: number, elapsedMs: number, result: unknown }>}
 */
export async function measureLoopDelay(work) {
  const histogram = monitorEventLoopDelay({ resolution: 1 });
  histogram.enable();
  await sleep(10); // the first sample has no predecessor to be measured against, so let it pass
  const started = performance.now();
  const result = await work();
  const elapsedMs = performance.now() - started;
  await sleep(10); // a block at the very end shows in the sample after it
  histogram.disable();
  return { maxMs: histogram.max / 1e6, p99Ms: histogram.percentile(99) / 1e6, elapsedMs, result };
}

/**
 * Runs `body(measure, round)` until each of its measurements kept its bound, at most `rounds` times: a busy machine
 * holds up a process now and then, a call of ours that waits does so every time. `measure(work, boundMs)` gives what
 * measureLoopDelay() gives. Whatever else `body` expects has to hold in each round.
 */
export async function withFreeLoop(body, rounds = 5) {
  const held = [];
  for (let round = 0; round < rounds; round++) {
    let isFree = true;
    await body(async (work, boundMs) => {
      const measured = await measureLoopDelay(work);
      if (measured.maxMs >= boundMs) {
        isFree = false;
        held.push(`${measured.maxMs.toFixed(0)} (bound: ${boundMs.toFixed(0)})`);
      }
      return measured;
    }, round);
    if (isFree) return;
  }
  throw new Error(`in each of ${rounds} rounds a 1 ms timer was held up too long, for so many ms: ${held.join(', ')}`);
}

/** Remembers names in the order in which they were marked. */
export function eventRecorder() {
  const names = [];
  return {
    names,
    mark: (name) => names.push(name),
    /** Marks each of these events of an emitter. */
    watch(emitter, events, prefix = '') {
      for (const event of events) {
        emitter.on(event, () => names.push(`${prefix}${event}`));
      }
    },
  };
}

/** Resolves when `condition` holds; throws, naming what was waited for, when it does not within the time. */
export async function eventually(condition, what, timeoutMs = patience_ms) {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const value = await condition();
    if (value) {
      return value;
    }
    if (performance.now() > deadline) {
      throw new Error(`waited ${timeoutMs} ms in vain: ${what}`);
    }
    await sleep(2);
  }
}
