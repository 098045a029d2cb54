// No asynchronous function of the surface needs libuv's pool: with its one thread blocked for good all of them end, on
// each backend, as an import and under ioengine/register. A dead server that holds node's threads, or a program that
// hashes passwords on them, stops no file call; and file calls hold up neither dns.lookup nor crypto. Red when node
// serves a call behind our back: the call is among those that wait. Plain node, which needs the pool for nearly all,
// shows that the thread is blocked.
import { createRequire } from 'node:module';
import path from 'node:path';
import { expect } from 'chai';
import { repositoryRoot, runChild } from '../helpers/child.mjs';
import { patience_ms } from '../helpers/patience.mjs';
import { removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';

const program = path.join(repositoryRoot, 'compat-tests', 'lifecycle', 'support', 'whole-surface.cjs');
const register = path.join(repositoryRoot, 'dist', 'register.js');
const { FS, PROMISES } = createRequire(import.meta.url)(path.join(repositoryRoot, 'dist', 'surface.js'));

/** Not asynchronous functions, or such that wait for no file. */
const OTHERS = new Set(['watch', 'watchFile', 'unwatchFile', 'lchmod', 'Utf8Stream', '_toUnixTimestamp']);
/** Where node's threads are needed, and docs/compatibility.md says so. */
const NEEDS_NODE = new Set(['openAsBlob']);

const isCall = (name) => !/Sync$|Stream$|^[A-Z]/.test(name) && !OTHERS.has(name) && !NEEDS_NODE.has(name);

/** Functions of the surface that this Node has. */
function expected(module_, rows, prefix) {
  return rows
    .filter(({ server }) => server !== 'value')
    .flatMap(({ names }) => names)
    .filter((name) => isCall(name) && typeof module_[name] === 'function')
    .map((name) => `${prefix}.${name}`);
}

describe("libuv's pool is blocked", () => {
  let directory;
  beforeEach(() => {
    directory = temporaryDirectory();
  });
  afterEach(() => removeDirectory(directory));

  async function run(side, deadlineMs, nodeArgs = []) {
    const env = { UV_THREADPOOL_SIZE: '1', NODE_OPTIONS: '' };
    const child = await runChild({ file: program, args: [side, String(deadlineMs)], nodeArgs, env, cwd: directory });
    return child.json();
  }

  async function expectNoneWaits(side, nodeArgs) {
    const { waiting, errors, served } = await run(side, patience_ms / 2, nodeArgs);
    expect({ waiting, errors, served }).to.deep.equal({ waiting: [], errors: {}, served: false });
  }

  it('as an import every function ends', () => expectNoneWaits('import'));
  it('under register every function ends', () => expectNoneWaits('node', ['--import', register]));

  it("plain node's functions wait, and each function of the surface is among those that are tried", async () => {
    const { calls, waiting, served } = await run('node', 500);
    expect(served).to.equal(false);
    expect(waiting).to.include.members(['fs.stat', 'promises.copyFile', 'fs.opendir']);
    const fs = await import('node:fs');
    const missing = [...expected(fs.default, FS, 'fs'), ...expected(fs.default.promises, PROMISES, 'promises')];
    expect(missing.filter((name) => !calls.includes(name))).to.deep.equal([]);
  });
});
