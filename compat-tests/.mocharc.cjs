// Used by compat-tests/run.mjs for every run of the suite.
const path = require('node:path');

module.exports = {
  reporter: path.join(__dirname, 'helpers', 'reporter.cjs'),
  require: [path.join(__dirname, 'helpers', 'backend.mjs')],
  timeout: 30_000,
  'forbid-only': true,
};
