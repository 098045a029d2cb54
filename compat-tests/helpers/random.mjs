/** Numbers that a seed repeats: random(n) is a whole number from 0 to n - 1. */
export function randomFrom(seed) {
  let state = Math.imul(seed, 0x9e3779b1) | 0 || 1;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
}
