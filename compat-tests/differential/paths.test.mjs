// Random steps on the paths of a small tree: after each step node:fs and ours have to have seen the same.
//
//   IOENGINE_RUNS=3600 npm test -- --backend uring compat-tests/differential/paths.test.mjs     about 100,000 steps
//   IOENGINE_SEED=<seed>                                                                              one seed alone
import { expect } from 'chai';
import { describeSteps } from '../helpers/model.mjs';
import { SIDES } from '../helpers/oracle.mjs';
import { removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';
import { PathSteps, pathStep } from './support/path-steps.mjs';

describeSteps('differential: random steps on paths', {
  group: 'paths',
  file: 'paths.test.mjs',
  usualRuns: 60,
  step: pathStep,
  Steps: PathSteps,
});

describe('differential: steps of which nobody knows the outcome', () => {
  const link = { do: 'symlink', target: 'loop', absolute: true, api: 'promise' };
  const copy = {
    do: 'cp',
    name: 'd',
    to: 'f',
    form: 'string',
    api: 'promise',
    rest: [{ recursive: true, dereference: true }],
  };

  /** What the last step says, on node's side. */
  async function lastOf(steps) {
    const directory = temporaryDirectory();
    try {
      const side = new PathSteps(SIDES[0], directory);
      await side.begin();
      for (const step of steps.slice(0, -1)) await side.run(step);
      return await side.run(steps.at(-1));
    } finally {
      removeDirectory(directory);
    }
  }

  it('a copy that meets a link in a circle on both sides is not made', async () => {
    const both = [{ ...link, name: 'd/z' }, { ...copy, rest: [{ recursive: true }] }, copy];
    expect(await lastOf(both)).to.equal('either error may be first');
  });

  it('one that meets it on one side is', async () => {
    expect((await lastOf([{ ...link, name: 'd/z' }, copy])).rejected.code).to.equal('ELOOP');
    const target = [
      { do: 'mkdir', name: 'f', form: 'string', api: 'promise', rest: [] },
      { ...link, name: 'f/x' },
      copy,
    ];
    expect((await lastOf(target)).rejected.code).to.equal('ELOOP');
  });
});
