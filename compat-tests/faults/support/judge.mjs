// What a call may have come to when a part of it has failed: what node:fs would have returned, an error as node makes
// them, or less than asked for where the call says how much. Never other bytes.
import { isDeepStrictEqual } from 'node:util';
import { constants } from 'node:os';
import { sourceOf } from './scenarios.mjs';

const brief = (value) => (Buffer.isBuffer(value) ? `${value.length} bytes` : JSON.stringify(value)?.slice(0, 200));

/** Undefined where it is an error like node's. */
export function faultOfError(error) {
  if (!(error instanceof Error)) return `rejected with ${error}, which is no Error`;
  const { code, errno, syscall, message } = error;
  if (error.constructor.name === 'AggregateError') return error.errors.map(faultOfError).find(Boolean);
  if (code?.startsWith('ERR_FS_')) return undefined;
  if (constants.errno[code] === undefined) return `an error with the code ${code}: ${error.stack}`;
  if (errno !== -constants.errno[code]) return `${code} with errno ${errno}`;
  if (typeof syscall !== 'string') return `${code} without a syscall`;
  return message.startsWith(`${code}: `) ? undefined : `a message that is not node's: ${message}`;
}

const isTaken = (value) => value !== null && typeof value === 'object' && Buffer.isBuffer(value.bytes);

function faultOfTaken(found, wanted, source) {
  if (found.count > wanted.count) return `${found.count} bytes read, of ${wanted.count} there are`;
  const there = source.subarray(found.at, found.at + found.count);
  return there.equals(found.bytes) ? undefined : `wrong bytes: ${found.count} from ${found.at}`;
}

/** Undefined, or what is wrong with a value where node:fs returns `wanted`. */
export function faultOfValue(scenario, found, wanted, mayBeShort) {
  if (isDeepStrictEqual(found, wanted)) return undefined;
  const isShort = (one, whole) => typeof one === 'number' && typeof whole === 'number' && one >= 0 && one <= whole;
  const lists = Array.isArray(found) && Array.isArray(wanted) && found.length === wanted.length;
  const pairs = lists ? found.map((one, index) => [one, wanted[index]]) : [[found, wanted]];
  for (const [one, whole] of pairs) {
    if (isTaken(one) && isTaken(whole)) {
      const fault = faultOfTaken(one, whole, sourceOf(scenario.name));
      if (fault !== undefined) return fault;
      if (!mayBeShort && one.count < whole.count) return `${one.count} bytes read instead of ${whole.count}`;
    } else if (scenario.kind === 'changes' && mayBeShort && isShort(one, whole)) {
      // How much is there: the caller looks at the file.
    } else if (!isDeepStrictEqual(one, whole)) {
      return `${brief(one)} instead of ${brief(whole)}`;
    }
  }
  return undefined;
}

const counts = (value) => [value].flat().filter((one) => typeof one === 'number');

/**
 * What is wrong with the files. Resolved means done: they are as node leaves them, unless the call has said that it
 * wrote less. Rejected: what the call is not about is as it was.
 */
export function faultOfFiles(scenario, outcome, found, before, after) {
  const isWhole = outcome.resolved && isDeepStrictEqual(counts(outcome.value), counts(outcome.wanted));
  const names = new Set([...Object.keys(found), ...Object.keys(before), ...Object.keys(after)]);
  for (const name of names) {
    if (isWhole && !isDeepStrictEqual(found[name], after[name])) {
      return `resolved, and ${name} is ${brief(found[name])} instead of ${brief(after[name])}`;
    }
    if (!scenario.touches.includes(name) && !isDeepStrictEqual(found[name], before[name])) {
      return `${name} was ${brief(before[name])} and is ${brief(found[name])}`;
    }
  }
  return undefined;
}
