// Runs a program as plain node runs it and as it runs under `ioengine/register`. Plain node says what is right; the
// counters of the engine, printed when the program ends, say who did the work.
import { expect } from 'chai';
import { backendUnderTest } from '../../helpers/backend.mjs';
import { runChild } from '../../helpers/child.mjs';
import { inRoot } from '../../../scripts/lib/paths.mjs';

const REPORT = inRoot('compat-tests', 'register', 'support', 'report-lanes.cjs');
const MARK = 'LANES ';

export const IMPORT = ['--import', 'ioengine/register'];

/** What the engine of the child's main thread did: `{ name, lanes }`; undefined if it was never started. */
function reportOf(child) {
  const line = child.stderr.split('\n').findLast((text) => text.startsWith(MARK));
  if (line === undefined) throw new Error(`the child reported no lanes: ${child.describe()}`);
  return JSON.parse(line.slice(MARK.length)) ?? undefined;
}

/** A child with `nodeArgs`, and what its engine did. Options are those of runChild. */
export async function runReporting(options) {
  const { nodeArgs = [], code, ...others } = options;
  const child = await runChild({ ...others, code, nodeArgs: [...nodeArgs, '--require', REPORT] });
  return { child, engine: reportOf(child) };
}

/** The engine of the backend under test served asynchronous operations, and no other kernel backend did. */
export function expectServed(engine, what = 'the program') {
  expect(engine, `${what}: the engine was never started`).to.not.equal(undefined);
  const served = Object.entries(engine.lanes)
    .filter(([lane]) => lane !== 'delegated')
    .reduce((sum, [, { operations }]) => sum + operations, 0);
  expect(served, `${what}: operations on the engine`).to.be.greaterThan(0);
  const other = { uring: 'aio', aio: 'uring' }[engine.name];
  if (other !== undefined) expect(engine.lanes[other].operations, `${what}: the ${other} lane`).to.equal(0);
  if (backendUnderTest !== 'auto') expect(engine.name).to.equal(backendUnderTest);
}

/**
 * Runs `code` (an ES module; with `file` that file) both ways and expects the same last line of JSON on stdout, the
 * same status, and the engine at work in one of them. Returns what the program printed.
 */
export async function expectSame({ nodeArgs = [], served = true, ...options }) {
  const env = { NODE_OPTIONS: undefined, ...options.env };
  const [plain, { child, engine }] = await Promise.all([
    runChild({ ...options, env, nodeArgs }),
    runReporting({ ...options, env, nodeArgs: [...IMPORT, ...nodeArgs] }),
  ]);
  const seen = ({ status, signal, stdout, stderr }) => ({ status, signal, stdout, stderr: withoutReport(stderr) });
  expect(seen(child)).to.deep.equal(seen(plain));
  if (served) expectServed(engine);
  return plain;
}

const withoutReport = (text) =>
  text
    .split('\n')
    .filter((line) => !line.startsWith(MARK))
    .join('\n')
    .replaceAll(/\(node:\d+\)/g, '(node)');
