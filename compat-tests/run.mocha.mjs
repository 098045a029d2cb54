// One run of the mocha suite in a process (and process group) of its own, with a deadline.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { inRoot, root } from '../scripts/lib/paths.mjs';

// A run takes about three minutes on a quiet machine. What hangs is found by the limit of each test (.mocharc.cjs);
// this is for a process that answers nothing any more.
const deadline_ms = Number(process.env.IOENGINE_TEST_DEADLINE_S ?? 900) * 1000;
// After the last test nothing of ours may keep the event loop alive; mounts and loop devices are taken down then.
const exitGrace_ms = 60_000;
const killGrace_ms = 10_000;
const pipeGrace_ms = 5_000;

const readJson = (file) => (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined);

function endGroup(child, signal) {
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

/** Resolves with { status, signal, complaint }: the complaint says which time limit was passed. */
function watch(child, totalsFile) {
  return new Promise((resolve) => {
    let complaint;
    let killer;
    let testsEnded;
    const started = Date.now();
    const stop = (why) => {
      complaint = why;
      endGroup(child, 'SIGTERM');
      killer = setTimeout(() => endGroup(child, 'SIGKILL'), killGrace_ms);
    };
    const ticker = setInterval(() => {
      if (complaint) return;
      if (testsEnded === undefined && existsSync(totalsFile)) testsEnded = Date.now();
      if (testsEnded !== undefined && Date.now() - testsEnded > exitGrace_ms) {
        stop(`all tests ended, but the process did not within ${exitGrace_ms} ms: something keeps the loop alive`);
      } else if (Date.now() - started > deadline_ms) {
        stop(`no end after ${deadline_ms / 1000} s`);
      }
    }, 250);
    const forward = (signal) => {
      endGroup(child, signal);
      process.exitCode = 130;
    };
    process.on('SIGINT', forward);
    process.on('SIGTERM', forward);
    const settle = (result) => {
      clearInterval(ticker);
      clearTimeout(killer);
      process.off('SIGINT', forward);
      process.off('SIGTERM', forward);
      resolve({ ...result, complaint });
    };
    child.on('error', (error) => settle({ status: null, signal: error.message }));
    child.on('close', (status, signal) => settle({ status, signal }));
    // What a test has left behind may hold the pipes open.
    child.on('exit', (status, signal) => setTimeout(() => settle({ status, signal }), pipeGrace_ms).unref());
  });
}

/**
 * Runs files on a backend; returns { totals, lanes, seconds, output }. A crash or a missed deadline is one more
 * failure. `scratch` is a folder of this run's own. `buffered`: the output is returned instead of shown.
 */
export async function runMocha(files, { backend, complete, grep, verbose, retries, scratch, buffered = false }) {
  mkdirSync(scratch);
  const totalsFile = path.join(scratch, 'totals.json');
  const lanesFile = path.join(scratch, 'lanes.json');
  const args = ['--expose-gc', inRoot('node_modules', 'mocha', 'bin', 'mocha.js')];
  args.push('--config', inRoot('compat-tests', '.mocharc.cjs'));
  if (grep !== undefined) args.push('--grep', grep);
  const env = { ...process.env, IOENGINE_BACKEND: backend, IOENGINE_TEST_TOTALS_FILE: totalsFile };
  if (!files.every((file) => file.includes(`${path.sep}repo${path.sep}`))) env.IOENGINE_TEST_LANES_FILE = lanesFile;
  if (complete) env.IOENGINE_TEST_COMPLETE = '1';
  if (verbose) env.IOENGINE_TEST_VERBOSE = '1';
  if (retries) env.IOENGINE_TEST_RETRIES = retries;
  const started = Date.now();
  const output = [];
  const stdio = buffered ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'inherit', 'inherit'];
  const child = spawn(process.execPath, [...args, ...files], { cwd: root, env, stdio, detached: true });
  for (const stream of buffered ? [child.stdout, child.stderr] : []) stream.on('data', (chunk) => output.push(chunk));
  const { status, signal, complaint } = await watch(child, totalsFile);
  const totals = readJson(totalsFile) ?? { passed: 0, failed: 0, skipped: 0, retried: 0 };
  const crashed = signal !== null || (status !== 0 && totals.failed === 0);
  const empty = totals.passed + totals.failed + totals.skipped === 0 && grep === undefined;
  if (complaint || crashed || empty) {
    totals.failed += 1;
    const line = `  ✗ ${backend}: ${complaint ?? (crashed ? `mocha ended with ${signal ?? status}` : 'no test ran')}`;
    if (buffered) output.push(Buffer.from(`${line}\n`));
    else console.log(line);
  }
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  return { totals, lanes: readJson(lanesFile)?.lanes, seconds, output: Buffer.concat(output).toString().trimEnd() };
}
