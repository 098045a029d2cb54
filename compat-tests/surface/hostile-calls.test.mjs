// The addon alone, called with what src/ never passes: wild slots, numbers, arrays and memory, before the engine has
// started and after. One guard stands at the border (csrc/binding/arguments.h): such a call gets an answer or throws
// what the argument throws. Red when a function of the addon ends the process.
import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { inRoot } from '../../scripts/lib/paths.mjs';
import { removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';

const ADDON = process.env.IOENGINE_ADDON ?? inRoot('build', 'Release', 'ioengine.node');
/** BackendType of csrc/backend/backend.h. One that is not available here counts as not started. */
const BACKENDS = { uring: 0, aio: 1, threads: 2 };

const WILD = `[
  undefined, null, true, -1, 0, 1, 2, 255, 256, 1e4, 2 ** 31, -(2 ** 31), 2 ** 32 - 1, 2 ** 53, NaN, Infinity, 1e300, 10n,
  '', 'x', 'no/such', '\\0', 'a'.repeat(4090), 'ü'.repeat(4095), Symbol('s'), {}, [], [1], [Buffer.alloc(4)], [,, Buffer.alloc(4)],
  Array(1025).fill(Buffer.alloc(1)), Object.assign([], { length: 2 ** 32 - 1 }), Object.assign([Buffer.alloc(1)], { length: 1e6 }),
  Buffer.alloc(0), Buffer.alloc(16), new Uint8Array(new SharedArrayBuffer(8)), new DataView(new ArrayBuffer(8)),
  new Float64Array(8), new ArrayBuffer(4), new ArrayBuffer(1 << 20), new Int32Array(4), new Int32Array(1024),
  () => { throw 1; }, new Proxy([1, 2], { get() { throw 7; } }), new Proxy(() => {}, {}),
  (() => { const memory = new ArrayBuffer(8); const view = new Uint8Array(memory); structuredClone(memory, { transfer: [memory] }); return view; })(),
]`;

// The pool works on what earlier calls have asked for meanwhile, and nothing is delivered: slots are in every state.
const CHILD = `
  const [file, backend, names] = process.argv.slice(1);
  const addon = { exports: {} };
  process.dlopen(addon, file);
  const a = addon.exports;
  if (backend !== 'none') {
    a.setTransferCall(new ArrayBuffer(32));
    a.setPathCall(new ArrayBuffer(288));
    a.setScratch(new ArrayBuffer(131072));
    a.setHandlers(() => {}, new Int32Array(1024), [], 1);
    a.start(Number(backend));
    a.start(Number(backend));
    a.readFile('/proc/self/maps', 1);
    a.stat('/', 1);
    a.readDirectory('/', 0, 1);
  }
  const wild = ${WILD};
  const shown = (arg) => typeof arg + (typeof arg === 'number' ? arg : ArrayBuffer.isView(arg) ? arg.byteLength : '');
  let state = 7;
  const random = () => (state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff) >>> 8;
  for (const name of names.split(',')) {
    for (let round = 0; round < 400; round++) {
      const args = Array.from({ length: random() % 7 }, () => (random() % 3 ? wild[random() % wild.length] : random() % 40));
      process._rawDebug(name, args.map(shown).join());
      try { a[name](...args); } catch {}
    }
  }
  process.reallyExit(0);`;

const { exports } = (() => {
  const module_ = { exports: {} };
  process.dlopen(module_, ADDON);
  return module_;
})();
// `uncaught` raises an uncaught exception: that is what it is for. `close` is the last: it closes the child's own
// stderr.
const names = Object.keys(exports)
  .filter((name) => name !== 'uncaught' && name !== 'close')
  .concat('close');

describe('surface: hostile calls of the addon', function () {
  this.timeout(120_000);
  let directory;
  before(() => {
    directory = temporaryDirectory();
  });
  after(() => removeDirectory(directory));

  for (const [label, backend] of [
    ['before start', 'none'],
    ...Object.entries(BACKENDS).map(([backend, index]) => [`on ${backend}`, String(index)]),
  ]) {
    it(`${label}: no function ends the process`, () => {
      expect(names).to.include.members(['read', 'writev', 'takeFile', 'takeWrite', 'start', 'setHandlers']);
      const args = ['-e', CHILD, ADDON, backend, names.join()];
      const child = spawnSync(process.execPath, args, { cwd: directory, encoding: 'utf8', timeout: 100_000 });
      const said = child.stderr.trim().split('\n').slice(-2).join('\n');
      expect([child.status, child.signal], said).to.deep.equal([0, null]);
    });
  }
});
