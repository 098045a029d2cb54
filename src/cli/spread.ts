// Medians, and what they are worth.

export interface Spread {
  median: number;
  least: number;
  most: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { median, least: sorted[0]!, most: sorted.at(-1)! };
}

/** A difference counts when every round has it, and when it is worth speaking of. */
const WORTH = 1.05;

export function verdictOn({ median, least, most }: Spread): string {
  if (least > 1 && median >= WORTH) return 'faster';
  if (most < 1 && median <= 1 / WORTH) return 'slower';
  return 'no difference';
}
