// Used by compat-tests/run.mjs for every run of the suite.
const path = require('node:path');

module.exports = {
  reporter: path.join(__dirname, 'helpers', 'reporter.cjs'),
  require: [path.join(__dirname, 'helpers', 'backend.mjs')],
  // Only for what hangs: a machine that is slow, or busy with something else, is no fault.
  timeout: 180_000,
  retries: Number(process.env.IOENGINE_TEST_RETRIES ?? 0),
  'forbid-only': true,
};
