// One recording and its power failures.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { runChild } from '../../helpers/child.mjs';
import { randomFrom } from '../../helpers/random.mjs';
import { failureModes, openRecordedDisk } from '../../helpers/recorded-disk.mjs';
import { removeDirectory, temporaryDirectory } from '../../helpers/tempdir.mjs';
import { Expected, readClaims } from './check.mjs';

const victim = path.join(path.dirname(fileURLToPath(import.meta.url)), 'victim.mjs');

/** Runs the victim on a disk that is recorded; { disk, log, claims }, or { skipped }. */
async function record({ filesystem, backend, seed, rounds, lie = '' }) {
  const disk = await openRecordedDisk({ filesystem });
  if (disk.skipped !== undefined) return { skipped: disk.skipped };
  const scratch = temporaryDirectory();
  try {
    const claimsFile = path.join(scratch, 'claims.json');
    const args = [path.join(disk.mountPoint, 'data'), claimsFile, seed, rounds, disk.controlFile, lie];
    const child = await runChild({ file: victim, args: args.map(String), env: { IOENGINE_BACKEND: backend } });
    if (child.status !== 0) throw new Error(`the victim failed: ${child.describe()}`);
    return { disk, claims: readClaims(claimsFile), log: await disk.stopRecording() };
  } catch (error) {
    disk.close();
    throw error;
  } finally {
    removeDirectory(scratch);
  }
}

/**
 * When the power fails, and how: half of them right behind an acknowledgement, with nothing kept that was not flushed,
 * which is the hardest; the others anywhere.
 */
export function choosePoints(log, count, seed) {
  const random = randomFrom(seed);
  const marks = log.flatMap(({ kind }, index) => (kind === 'mark' ? [index] : []));
  const first = marks[0];
  const hardest = marks.map((index) => ({ point: index + 1, mode: 'none', seed: 0 }));
  while (hardest.length > count / 2) hardest.splice(random(hardest.length), 1);
  const points = [...hardest];
  while (points.length < count) {
    const point = first + 1 + random(log.length - first);
    points.push({ point, mode: failureModes[random(failureModes.length)], seed: 1 + random(1_000_000_000) });
  }
  return points.sort((a, b) => a.point - b.point);
}

/** { points, claims, records, flushes, faults }: faults are what was promised and not found. */
export async function losePower({ points: count, limitMs = Number.POSITIVE_INFINITY, ...options }) {
  const { disk, log, claims, skipped } = await record(options);
  if (skipped !== undefined) return { skipped };
  const faults = [];
  let done = 0;
  let mark = -1;
  let read = 0;
  const started = Date.now();
  const expected = new Expected(claims);
  try {
    for (const { point, mode, seed } of choosePoints(log, count, options.seed)) {
      for (; read < point; read++) if (log[read].kind === 'mark') mark = log[read].mark;
      expected.advance(mark);
      const look = (mountPoint) => expected.faults(path.join(mountPoint, 'data'));
      const found = await disk.failPowerAt(point, mode, seed, look);
      faults.push(...found.map((text) => `power failed behind record ${point}, ${mode} kept, seed ${seed}: ${text}`));
      done += 1;
      if (Date.now() - started > limitMs) break;
    }
  } finally {
    disk.close();
  }
  const flushes = log.filter(({ kind }) => kind === 'flush').length;
  return { points: done, claims: claims.length, records: log.length, flushes, faults };
}
