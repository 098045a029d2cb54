// Random steps on twin files: after each step node:fs and ours have to have seen the same.
//
//   IOENGINE_RUNS=5000 npx mocha --timeout 3600000 compat-tests/differential/steps.test.mjs     a long run
//   IOENGINE_SEED=<seed>                                                                     one seed alone

import { expect } from 'chai';
import fc from 'fast-check';
import { expectSame, normalise, snapshot } from '../helpers/compare.mjs';
import { checkProperty, StepRunner, step } from '../helpers/model.mjs';
import { SIDES } from '../helpers/oracle.mjs';
import { removeDirectory, twinDirectories } from '../helpers/tempdir.mjs';

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
    }
    for (const runner of runners) await runner.end();
    expect(snapshot(twins.ours), 'files after all steps').to.deep.equal(snapshot(twins.node));
  } finally {
    for (const runner of runners) await runner.end().catch(() => {});
    removeDirectory(twins.root);
  }
}

describe('differential: random steps', function () {
  this.timeout(600_000);

  it('node:fs and ours agree after every step', async () => {
    const property = fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 60, size: 'max' }), runBoth);
    await checkProperty(property, { group: 'steps', file: 'steps.test.mjs', usualRuns: 60 });
  });
});
