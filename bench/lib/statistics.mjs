// Medians and spreads. Ratios are taken per round, between two sides that ran next to each other, and only then
// summed up: what the machine does to both at once cancels out.

/** @typedef {{ median: number, min: number, max: number }} Spread */

/**
 * @param {number[]} values at least one
 * @returns {Spread}
 */
export function spread(values) {
  if (values.length === 0) throw new Error('no values');
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  return { median, min: sorted[0], max: sorted[sorted.length - 1] };
}

/**
 * @param {number[]} subject one value per round
 * @param {number[]} against the same rounds
 * @param {(subject: number, against: number) => number} combine
 */
export function spreadOfPairs(subject, against, combine) {
  if (subject.length !== against.length) throw new Error('pairs need the same rounds on both sides');
  return spread(subject.map((value, round) => combine(value, against[round])));
}
