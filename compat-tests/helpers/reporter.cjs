// Mocha reporter of the suite: one line per test file, every skip with its reason, every failure in full.
// A skip without a reason counts as a failure. What passes only when tried again (--retries) is told with the error of
// the first try: such a test, or what it tests, has a race that is to be mended. Totals go to
// IOENGINE_TEST_TOTALS_FILE for the runner.
'use strict';

const { writeFileSync } = require('node:fs');
const path = require('node:path');
const { inspect } = require('node:util');
const Mocha = require('mocha');

// Meant for this process only: a mocha that a test starts must not write into the files of this run.
const totalsFile = process.env.IOENGINE_TEST_TOTALS_FILE;
delete process.env.IOENGINE_TEST_TOTALS_FILE;
delete process.env.IOENGINE_TEST_RETRIES;

const root = path.resolve(__dirname, '..');

function reasonOf(test) {
  for (let holder = test; holder; holder = holder.parent) {
    if (holder.skipReason) return holder.skipReason;
  }
  return undefined;
}

/** The file a test or hook stands in; root hooks have none. */
function fileOf(runnable) {
  for (let holder = runnable; holder; holder = holder.parent) {
    if (holder.file) return path.relative(root, holder.file);
  }
  return '(root hooks)';
}

const textOf = (value) =>
  typeof value === 'string'
    ? value
    : inspect(value, { depth: 6, sorted: true, breakLength: 60, maxStringLength: 2000 });

function describeError(error) {
  const text = error?.stack ?? String(error);
  const difference =
    error?.showDiff !== false && error && 'expected' in error && 'actual' in error
      ? Mocha.reporters.Base.generateDiff(textOf(error.actual), textOf(error.expected))
      : '';
  const cause = error?.cause ? `\ncaused by ${error.cause.stack ?? error.cause}` : '';
  return `${text}${difference}${cause}`;
}

const indent = (text) => text.replace(/^(?=.)/gm, '      ');

class SuiteReporter {
  constructor(runner) {
    this.totals = { passed: 0, failed: 0, skipped: 0, retried: 0 };
    this.file = undefined;
    this.lines = [];
    // Before its hooks: what they take is the file's too.
    runner.on('suite', (suite) => suite.file && this.enter(suite));
    runner.on('pass', (test) => this.onPass(test));
    runner.on('retry', (test, error) => this.onRetry(test, error));
    runner.on('fail', (runnable, error) => this.onFail(runnable, error));
    runner.on('pending', (test) => this.onPending(test));
    runner.once('end', () => this.onEnd());
  }

  enter(runnable) {
    const file = fileOf(runnable);
    if (file === this.file) return;
    this.flush();
    this.file = file;
    this.started = Date.now();
    this.counts = { passed: 0, failed: 0, skipped: 0 };
  }

  flush() {
    if (this.file === undefined) return;
    const { passed, failed, skipped } = this.counts;
    const parts = [`${passed} passed`];
    if (failed > 0) parts.push(`${failed} failed`);
    if (skipped > 0) parts.push(`${skipped} skipped`);
    const seconds = ((Date.now() - this.started) / 1000).toFixed(1);
    console.log(`  ${failed > 0 ? '✗' : '✓'} ${this.file}: ${parts.join(', ')} (${seconds} s)`);
    for (const line of this.lines) console.log(line);
    this.lines = [];
  }

  count(kind) {
    this.counts[kind] += 1;
    this.totals[kind] += 1;
  }

  onPass(test) {
    this.enter(test);
    this.count('passed');
    if (process.env.IOENGINE_TEST_VERBOSE) this.lines.push(`    ✓ ${test.fullTitle()} (${test.duration} ms)`);
  }

  onRetry(test, error) {
    this.enter(test);
    this.totals.retried += 1;
    this.lines.push(`    ~ ${test.fullTitle()}: tried again, after\n${indent(describeError(error))}`);
  }

  onFail(runnable, error) {
    this.enter(runnable);
    this.count('failed');
    this.lines.push(`    ✗ ${runnable.fullTitle()}\n${indent(describeError(error))}`);
  }

  onPending(test) {
    this.enter(test);
    const reason = reasonOf(test);
    if (reason) {
      this.count('skipped');
      this.lines.push(`    - ${test.fullTitle()}: skipped, ${reason}`);
    } else {
      this.count('failed');
      this.lines.push(`    ✗ ${test.fullTitle()}: skipped without a reason; use skip(this, 'because …')`);
    }
  }

  onEnd() {
    this.flush();
    if (totalsFile) writeFileSync(totalsFile, JSON.stringify(this.totals));
  }
}

module.exports = SuiteReporter;
