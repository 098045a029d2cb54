// Random steps on the paths of a small tree: after each step node:fs and ours have to have seen the same.
//
//   IOENGINE_RUNS=3600 npm test -- --backend uring compat-tests/differential/paths.test.mjs     about 100,000 steps
//   IOENGINE_SEED=<seed>                                                                              one seed alone
import { describeSteps } from '../helpers/model.mjs';
import { PathSteps, pathStep } from './support/path-steps.mjs';

describeSteps('differential: random steps on paths', {
  group: 'paths',
  file: 'paths.test.mjs',
  usualRuns: 60,
  step: pathStep,
  Steps: PathSteps,
});
