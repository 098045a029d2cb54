// How long single calls take, from a sample: looking at the clock around each would cost more than a cached read does.
// One call in 32 is timed, 0.4 % of the fastest of them; where a round has more samples than are kept, every second one
// is dropped and half as many are taken from then on. What the round itself takes is measured without this.

const EVERY = 32;
const KEPT = 4096;

const taken_us = new Float64Array(KEPT);
let count = 0;
let calls = 0;
let mask = EVERY - 1;

/** The time if this call is to be timed, else 0. */
export function startOfCall() {
  return (calls++ & mask) === 0 ? performance.now() : 0;
}

/** @param {number} started what startOfCall() has given, not 0 */
export function endOfCall(started) {
  if (count === KEPT) thin();
  taken_us[count++] = (performance.now() - started) * 1000;
}

function thin() {
  count = KEPT / 2;
  for (let i = 0; i < count; i++) taken_us[i] = taken_us[2 * i];
  mask = 2 * mask + 1;
}

export function resetLatencies() {
  count = 0;
  mask = EVERY - 1;
}

/** @returns {number[] | undefined} the sample of this round, in µs; undefined where no call was timed */
export function latencies_us() {
  return count === 0 ? undefined : Array.from(taken_us.subarray(0, count), (value) => Math.round(value * 100) / 100);
}
