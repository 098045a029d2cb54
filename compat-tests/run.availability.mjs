// Can this machine run a backend at all? Asks the engine's own probe, and does not take its word for a "no": a
// broken probe must turn the suite red, not let three quarters of it disappear as skipped.
import { existsSync, readFileSync } from 'node:fs';
import { runQuietly } from '../scripts/lib/run.mjs';

const read = (file) => (existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined);

const hasSeccompFilter = () => /^Seccomp:\s*2$/m.test(read('/proc/self/status') ?? '');

/** Is there something outside of the engine that explains why the backend cannot run here? */
const excuses = {
  uring: () => hasSeccompFilter() || !['0', undefined].includes(read('/proc/sys/kernel/io_uring_disabled')),
  aio() {
    const limit = read('/proc/sys/fs/aio-max-nr');
    return hasSeccompFilter() || limit === undefined || Number(read('/proc/sys/fs/aio-nr')) >= Number(limit);
  },
};

/** Undefined when the backend can run; else { reason, excused }. */
export function unavailability(name) {
  if (name === 'auto') return undefined;
  const script = "import { probe } from 'ioengine'; process.stdout.write(JSON.stringify(probe()));";
  const env = { ...process.env, IOENGINE_BACKEND: name };
  const child = runQuietly(process.execPath, ['--input-type=module', '--eval', script], { env });
  if (child.status !== 0) return { reason: `probe() failed: ${child.stderr}`, excused: false };
  const found = JSON.parse(child.stdout)[name];
  if (found?.available === true) return undefined;
  const reason = `${found?.reason ?? JSON.stringify(found)}${found?.fix ? ` (${found.fix})` : ''}`;
  return { reason, excused: excuses[name]?.() ?? false };
}
