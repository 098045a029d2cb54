// Percentiles of the latencies that the workers have sampled (workers/latency.mjs).
import { build } from 'hdr-histogram-js';

const HIGHEST_NS = 120e9;

/** @typedef {{ p50: number, p99: number, p999?: number, samples: number }} Latency in µs */

/**
 * Of all rounds together: a tail is made of few calls.
 * @param {(number[] | undefined)[]} rounds samples in µs
 * @returns {Latency | undefined} undefined where nothing was timed
 */
export function latencyOf(rounds) {
  const histogram = build({
    bitBucketSize: 64,
    lowestDiscernibleValue: 1,
    highestTrackableValue: HIGHEST_NS,
    numberOfSignificantValueDigits: 3,
  });
  for (const value_us of rounds.flatMap((sample) => sample ?? [])) {
    histogram.recordValue(Math.min(Math.max(1, Math.round(value_us * 1000)), HIGHEST_NS));
  }
  const samples = histogram.totalCount;
  if (samples === 0) return undefined;
  const at = (/** @type {number} */ percentile) => histogram.getValueAtPercentile(percentile) / 1000;
  // Of fewer calls none is the slowest of a thousand.
  return { p50: at(50), p99: at(99), ...(samples >= 1000 ? { p999: at(99.9) } : {}), samples };
}
