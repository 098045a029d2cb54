// A client is a package from npm doing real work, in a process of its own: `programs/NAME.mjs`. It runs with plain
// node, with ioengine/fs handed to it (by its own option, else as the module that it imports), and unmodified under
// ioengine/register. What it makes is checked by programs of the system; what plain node answers is right.
import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { inRoot } from '../../../scripts/lib/paths.mjs';
import { findProgram } from '../../../scripts/lib/run.mjs';
import { backendUnderTest, skip } from '../../helpers/backend.mjs';
import { runChild } from '../../helpers/child.mjs';
import { removeDirectory, temporaryDirectory } from '../../helpers/tempdir.mjs';

const support = (name) => inRoot('compat-tests', 'clients', 'support', name);
const programs = inRoot('compat-tests', 'clients', 'programs');
const PRELOADS = ['--expose-internals', '--require', support('count-calls.cjs')];
const REGISTER = ['--import', 'ioengine/register'];

const TITLES = { option: 'given ioengine/fs', modules: 'importing ioengine/fs', register: 'under register' };

/** At least this part of the asynchronous work has to be the engine's. */
const SHARE = 0.9;

/** One run of a program, named or by its path: `{ result, counts, lanes, backend, child }`. */
export async function runClient(name, way, folder, env = {}) {
  const child = await runChild({
    file: support('main.mjs'),
    args: [path.resolve(programs, path.extname(name) === '.mjs' ? name : `${name}.mjs`), way, folder],
    nodeArgs: [...PRELOADS, ...(way === 'register' ? REGISTER : [])],
    env: { NODE_OPTIONS: undefined, NODE_NO_WARNINGS: '1', ...env },
  });
  expect(child.status, child.describe()).to.equal(0);
  expect(child.stderr, child.describe()).to.equal('');
  return { ...child.json(), child };
}

const sum = (values) => Object.values(values).reduce((total, value) => total + value, 0);

function ownLanes({ lanes }) {
  const { delegated: _delegated, ...own } = lanes;
  const all = Object.values(own);
  return {
    bytes: all.reduce((total, lane) => total + lane.bytes, 0),
    operations: all.reduce((total, lane) => total + lane.operations, 0),
  };
}

/**
 * The engine did the asynchronous work. How much there is to do is counted in plain node, where all of it passes node's
 * binding. With the engine two counts must agree: its own says that it moved that much, and the count at node's
 * binding, which is wrapped there too, says that hardly anything still went that way. `nodes`: calls that are not
 * counted.
 */
export function expectShare(plain, run, nodes = []) {
  const without = ({ bytes, calls }) => ({
    bytes,
    calls: { ...calls, ...Object.fromEntries(nodes.map((name) => [name, 0])) },
  });
  const asked = without(plain.counts.asynchronous);
  const left = without(run.counts.asynchronous);
  const engine = ownLanes(run);
  const figures = JSON.stringify({ asked, left, engine, lanes: run.lanes });
  expect(engine.operations, `operations of the engine ${figures}`).to.be.greaterThan(0);
  expect(engine.bytes, `bytes of the engine ${figures}`).to.be.at.least(SHARE * asked.bytes);
  expect(left.bytes, `bytes that node moved ${figures}`).to.be.at.most((1 - SHARE) * asked.bytes);
  expect(sum(left.calls), `calls that node served ${figures}`).to.be.at.most((1 - SHARE) * sum(asked.calls));
  const other = { uring: 'aio', aio: 'uring' }[run.backend];
  if (other !== undefined) expect(run.lanes[other].operations, `the ${other} lane`).to.equal(0);
  if (backendUnderTest !== 'auto') expect(run.backend).to.equal(backendUnderTest);
}

/**
 * Tests of one client.
 * @param {string} name of the program
 * @param {object} about
 * @param {string} about.does what it does, for the titles
 * @param {'option' | 'modules'} about.through how it gets ioengine/fs directly (main.mjs)
 * @param {string[]} [about.needs] programs of the system that check it
 * @param {number} about.bytes at least so many bytes pass node's binding asynchronously in plain node: a ratio of
 *   little says nothing
 * @param {number} [about.calls] the same for calls, where content is not what the client is about
 * @param {string[]} [about.nodes] calls that functions of node's own make, when it is not node:fs itself that is on the
 *   engine
 * @param {(folder: string) => void} [about.prepare] fills the folder of a run
 * @param {(folder: string, result: unknown) => unknown} about.check what independent programs say; throws. What it
 *   returns is the same in every way
 */
export function describeClient(
  name,
  { does, through, needs = [], bytes, calls = 0, nodes, prepare = () => {}, check },
) {
  describe(`clients: ${name}`, () => {
    let top;
    let plain;
    const runs = {};

    const runIn = async (way) => {
      const folder = path.join(top, way.padEnd(8, '-')); // equal lengths, because paths are part of what some write
      fs.mkdirSync(folder);
      prepare(folder);
      const run = await runClient(name, way, folder);
      return { ...run, made: check(folder, run.result) };
    };

    before(async function () {
      const missing = needs.filter((program) => findProgram(program) === undefined);
      if (missing.length > 0) skip(this, `because there is no ${missing.join(', ')} to check it with`);
      top = temporaryDirectory();
      // Side by side; what one of the others fails with is told by its own test.
      for (const way of ['plain', through, 'register']) {
        runs[way] = runIn(way);
        runs[way].catch(() => {});
      }
      plain = await runs.plain;
      const { asynchronous } = plain.counts;
      expect(asynchronous.bytes, 'asynchronous bytes').to.be.at.least(bytes);
      expect(sum(asynchronous.calls), 'asynchronous calls').to.be.at.least(calls);
    });
    after(async () => {
      await Promise.allSettled(Object.values(runs));
      if (top) removeDirectory(top);
    });

    for (const way of [through, 'register']) {
      it(`${does}: ${TITLES[way]}`, async () => {
        const run = await runs[way];
        expect(run.result).to.deep.equal(plain.result);
        expect(run.made).to.deep.equal(plain.made);
        expectShare(plain, run, way === 'register' ? [] : nodes);
        if (process.env.IOENGINE_TEST_FIGURES) report(way, plain, run);
      });
    }
  });
}

/** For whoever wants to see the figures: IOENGINE_TEST_FIGURES=1. */
function report(way, plain, run) {
  const { asynchronous, synchronous } = plain.counts;
  const engine = ownLanes(run);
  const part = ((100 * asynchronous.bytes) / (asynchronous.bytes + synchronous.bytes)).toFixed(0);
  console.log(
    `      ${way}: plain node ${asynchronous.bytes} asynchronous bytes (${part} % of all) in ${sum(asynchronous.calls)} calls; ` +
      `engine ${engine.bytes} bytes, ${engine.operations} operations; left to node ${run.counts.asynchronous.bytes} bytes, ` +
      `${JSON.stringify(run.counts.asynchronous.calls)}; ${Math.round(plain.child.elapsedMs)} and ${Math.round(run.child.elapsedMs)} ms`,
  );
}
