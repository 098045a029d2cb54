// What random tests share: how often they run, how a failure is replayed, and runs of steps on twin files.
import fs from 'node:fs';
import { expect } from 'chai';
import fc from 'fast-check';
import { expectSame, normalise, skipBecause, snapshot } from './compare.mjs';
import { withFilesystem } from './filesystems.mjs';
import { SIDES } from './oracle.mjs';
import { removeDirectory, twinDirectories } from './tempdir.mjs';

/** Seeds that once failed; they run before the random one and are never removed. */
export const keptSeeds = JSON.parse(fs.readFileSync(new URL('../differential/seeds.json', import.meta.url), 'utf8'));

export const runs = (usual) => Number(process.env.IOENGINE_RUNS ?? usual);

function seedsFor(group, kept) {
  if (process.env.IOENGINE_SEED) return [Number(process.env.IOENGINE_SEED)];
  return [...(kept[group] ?? []), (Date.now() ^ (process.pid << 8)) | 0];
}

/** The seeds of a group: those of a file like differential/seeds.json, and a new one; or IOENGINE_SEED alone. */
export const seedsOf = (group, file) => seedsFor(group, JSON.parse(fs.readFileSync(file, 'utf8')));

/** One command that runs the same steps again. */
export function replayCommand(seed, count, file) {
  const backend = process.env.IOENGINE_BACKEND ? `IOENGINE_BACKEND=${process.env.IOENGINE_BACKEND} ` : '';
  const subject = process.env.IOENGINE_TEST_SUBJECT
    ? `IOENGINE_TEST_SUBJECT=${process.env.IOENGINE_TEST_SUBJECT} `
    : '';
  const limit = '--timeout 600000';
  return `${backend}${subject}IOENGINE_SEED=${seed} IOENGINE_RUNS=${count} npx mocha ${limit} compat-tests/differential/${file}`;
}

/** Checks a property with the kept seeds and a fresh one; a failure names seed, smallest case and command. */
export async function checkProperty(property, { group, file, usualRuns }) {
  const numRuns = runs(usualRuns);
  for (const seed of seedsFor(group, keptSeeds)) {
    // IOENGINE_SHRINK=0 reports the first failing case as it is, which is quick.
    const endOnFailure = process.env.IOENGINE_SHRINK === '0';
    const details = await fc.check(property, { seed, numRuns, endOnFailure });
    if (!details.failed && details.numRuns > 0) continue;
    const smallest = JSON.stringify(details.counterexample);
    throw new Error(
      `seed ${seed} failed after ${details.numRuns} run(s)\n` +
        `replay: ${replayCommand(seed, numRuns, file)}\n` +
        `smallest case: ${smallest?.slice(0, 3000)}\n` +
        `${details.errorInstance?.stack ?? details.errorInstance ?? 'no run was made'}`,
      { cause: details.errorInstance },
    );
  }
}

/**
 * Runs the steps on both sides: after each one node:fs and ours have to have seen the same, and at the end the files
 * have to be the same, below `base` or where temporary files are. `Steps` is a class of one side's steps:
 * begin(), run(step) and end().
 */
export async function runOnTwins(Steps, steps, base) {
  const twins = twinDirectories(base);
  const sides = SIDES.map((side) => new Steps(side, twins[side.name]));
  try {
    for (const side of sides) await side.begin();
    for (const [index, given] of steps.entries()) {
      const seen = [];
      for (const side of sides) seen.push(normalise(await side.run(given), side.dir));
      const label = `step ${index}: ${JSON.stringify(given)}`;
      expectSame({ [label]: seen[1] }, { [label]: seen[0] });
    }
    for (const side of sides) await side.end();
    expect(snapshot(twins.ours), 'files after all steps').to.deep.equal(snapshot(twins.node));
  } finally {
    for (const side of sides) await side.end().catch(() => {});
    removeDirectory(twins.root);
  }
}

/**
 * A mocha suite of such runs. A long one (IOENGINE_RUNS) says how many steps it has taken; IOENGINE_TEST_FILESYSTEM
 * (ext4, xfs, btrfs, tmpfs) is where it takes them.
 */
export function describeSteps(title, { group, file, usualRuns, step, Steps }) {
  describe(title, function () {
    this.timeout(Math.max(600_000, runs(usualRuns) * 1000));
    let taken = 0;
    let base;
    before(async function () {
      const kind = process.env.IOENGINE_TEST_FILESYSTEM;
      const filesystem = kind ? await withFilesystem(kind) : {};
      if (filesystem.skipped) skipBecause(this, filesystem.skipped);
      base = filesystem.dir;
    });
    after(() => process.env.IOENGINE_RUNS && console.log(`  ${taken} steps`));

    it('node:fs and ours agree after every step', async () => {
      const steps = fc.array(step, { minLength: 1, maxLength: 60, size: 'max' });
      const property = fc.asyncProperty(steps, async (given) => {
        await runOnTwins(Steps, given, base);
        taken += given.length;
      });
      await checkProperty(property, { group, file, usualRuns });
    });
  });
}
