// Random steps on twin files: after each step node:fs and ours have to have seen the same.
//
//   IOENGINE_RUNS=3600 npm test -- --backend uring compat-tests/differential/steps.test.mjs     about 100,000 steps
//   IOENGINE_SEED=<seed>                                                                              one seed alone

import { expect } from 'chai';
import fc from 'fast-check';
import { expectSame, normalise, snapshot } from '../helpers/compare.mjs';
import { checkProperty, runs, StepRunner, step } from '../helpers/model.mjs';
import { SIDES } from '../helpers/oracle.mjs';
import { removeDirectory, twinDirectories } from '../helpers/tempdir.mjs';

const USUAL_RUNS = 60;
let taken = 0;

async function runBoth(steps) {
  const twins = twinDirectories();
  const runners = SIDES.map((side) => new StepRunner(side, twins[side.name]));
  try {
    for (const runner of runners) await runner.begin();
    for (const [index, given] of steps.entries()) {
      const seen = [];
      for (const runner of runners) seen.push(normalise(await runner.run(given), runner.dir));
      const label = `step ${index}: ${JSON.stringify(given)}`;
      expectSame({ [label]: seen[1] }, { [label]: seen[0] });
      taken++;
    }
    for (const runner of runners) await runner.end();
    expect(snapshot(twins.ours), 'files after all steps').to.deep.equal(snapshot(twins.node));
  } finally {
    for (const runner of runners) await runner.end().catch(() => {});
    removeDirectory(twins.root);
  }
}

describe('differential: random steps', function () {
  this.timeout(Math.max(600_000, runs(USUAL_RUNS) * 1000));
  after(() => process.env.IOENGINE_RUNS && console.log(`  ${taken} steps`));

  it('node:fs and ours agree after every step', async () => {
    const property = fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 60, size: 'max' }), runBoth);
    await checkProperty(property, { group: 'steps', file: 'steps.test.mjs', usualRuns: USUAL_RUNS });
  });
});
