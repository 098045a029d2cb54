// Random steps on open files: after each step node:fs and ours have to have seen the same.
//
//   IOENGINE_RUNS=3600 npm test -- --backend uring compat-tests/differential/steps.test.mjs     about 100,000 steps
//   IOENGINE_SEED=<seed>                                                                              one seed alone
import { describeSteps } from '../helpers/model.mjs';
import { FileSteps, fileStep } from './support/file-steps.mjs';

describeSteps('differential: random steps on open files', {
  group: 'steps',
  file: 'steps.test.mjs',
  usualRuns: 60,
  step: fileStep,
  Steps: FileSteps,
});
