// Proves that what was timed as O_DIRECT really was: the bytes came from the device, and through the engine's backend.
// Without this, a reader that quietly uses the page cache would win.
import fs from 'node:fs';

/** A little of a file may be read before a round starts or be rounded; a cached round reads nothing at all. */
const SHARE = 0.9;

/** Bytes that this process, all threads, made the block layer read. */
function deviceBytes() {
  const line = fs.readFileSync('/proc/self/io', 'utf8').match(/^read_bytes: (\d+)$/m);
  if (!line) throw new Error('/proc/self/io does not count device reads here: O_DIRECT cannot be proved');
  return Number(line[1]);
}

/**
 * @param {Awaited<ReturnType<typeof import('./subject.mjs').loadSubject>>['engine']} engine
 * @returns {{ begin: () => void, check: (bytes: number) => void }} around each round
 */
export function directProof(engine) {
  const backend = /** @type {{ name: string } | undefined} */ (engine?.backend())?.name;
  const laneBytes = () =>
    /** @type {Record<string, { bytes: number }>} */ (engine?.stats().lanes)?.[backend ?? '']?.bytes ?? 0;
  let device = 0;
  let lane = 0;
  return {
    begin() {
      device = deviceBytes();
      lane = laneBytes();
    },
    check(bytes) {
      const fromDevice = deviceBytes() - device;
      if (fromDevice < bytes * SHARE) throw new Error(`not O_DIRECT: ${fromDevice} of ${bytes} bytes from the device`);
      const byBackend = laneBytes() - lane;
      if (engine && byBackend < bytes * SHARE) {
        throw new Error(`not served by ${backend}: ${byBackend} of ${bytes} bytes in its lane`);
      }
    },
  };
}
