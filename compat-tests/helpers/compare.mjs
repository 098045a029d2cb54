// Differential comparison: one scenario is run on node:fs and on ours, each in a directory of its own with equal
// content, and everything it saw has to be equal: values, errors to the last own key, file bytes, leaked
// descriptors.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { SIDES } from './oracle.mjs';
import { patience_ms } from './patience.mjs';
import { removeDirectory, twinDirectories } from './tempdir.mjs';

const BYTES_SHOWN_MAX = 64;
const PATH_BYTES_MAX = 4096;
const BYTES_HASHED_MAX = 64 * 1024 * 1024;

/** Short ones as they are, and so are paths below the directory of a side; others by their hash. */
function describeBytes(view, dir) {
  const bytes = ArrayBuffer.isView(view)
    ? Buffer.from(view.buffer, view.byteOffset, view.byteLength)
    : Buffer.from(view);
  const content =
    bytes.length <= BYTES_SHOWN_MAX || (dir && bytes.length <= PATH_BYTES_MAX && bytes.includes(dir))
      ? normalise(bytes.toString('latin1'), dir)
      : `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  return { view: view.constructor?.name, length: bytes.length, content };
}

/** Everything of an error that a caller can see, except line numbers. */
export function describeError(error, dir) {
  if (!(error instanceof Error)) return { notAnError: normalise(error, dir) };
  const text = (value) => normalise(value, dir);
  const own = {};
  for (const key of Object.keys(error)) own[key] = text(error[key]);
  const described = {
    class: error.constructor?.name,
    name: error.name,
    message: text(error.message),
    code: text(error.code),
    errno: text(error.errno),
    syscall: text(error.syscall),
    path: text(error.path),
    dest: text(error.dest),
    keys: Reflect.ownKeys(error).map(String),
    enumerable: Object.entries(own),
    // The stack's first lines repeat name (with code) and message.
    stackHead: typeof error.stack === 'string' ? text(stackHead(error)) : typeof error.stack,
  };
  if (error.cause !== undefined) described.cause = describeError(error.cause, dir);
  if (Array.isArray(error.errors)) described.errors = error.errors.map((inner) => describeError(inner, dir));
  return described;
}

function stackHead(error) {
  const at = error.stack.search(/\n\s+at /);
  return at < 0 ? error.stack : error.stack.slice(0, at);
}

/** True when the stack has a frame in a test file: the reader of the error finds the call. */
export function stackNamesTest(error) {
  return /compat-tests\/[^\n]*\.test\.mjs/.test(error?.stack ?? '');
}

function describeStats(stats) {
  const names = ['isFile', 'isDirectory', 'isFIFO', 'isSymbolicLink', 'isCharacterDevice', 'isSocket'];
  return {
    stats: stats.constructor.name,
    size: String(stats.size),
    mode: String(stats.mode),
    nlink: String(stats.nlink),
    keys: Object.keys(stats),
    kinds: names.filter((name) => stats[name]()),
  };
}

function describeObject(value, dir, seen) {
  if (seen.has(value)) return '<circular>';
  seen.add(value);
  try {
    if (Array.isArray(value)) return value.map((item) => normalise(item, dir, seen));
    const prototype = Object.getPrototypeOf(value);
    const entries = Reflect.ownKeys(value).map((key) => [String(key), normalise(value[key], dir, seen)]);
    // Entries, not an object: the order of keys counts too.
    return { prototype: prototype === null ? null : prototype.constructor?.name, entries };
  } finally {
    seen.delete(value);
  }
}

/** Plain data that is equal on both sides when the two values look equal to an application. */
export function normalise(value, dir, seen = new Set()) {
  if (typeof value === 'string') return dir ? value.replaceAll(dir, '<dir>') : value;
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'symbol') return value.toString();
  if (typeof value === 'function') return `function ${value.name}/${value.length}`;
  if (value === undefined) return '<undefined>';
  if (value === null || typeof value !== 'object') return value;
  if (value instanceof Error) return describeError(value, dir);
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer || value instanceof SharedArrayBuffer) {
    return describeBytes(value, dir);
  }
  if (typeof value.isFIFO === 'function' && 'nlink' in value) return describeStats(value);
  if (value instanceof Promise) return '<promise>';
  if (value instanceof URL) return `URL ${normalise(value.href, dir)}`;
  if (typeof value.readableWebStream === 'function') return { handle: value.constructor.name, open: value.fd >= 0 };
  if (typeof value.pipe === 'function' || typeof value.cork === 'function') return `stream ${value.constructor.name}`;
  return describeObject(value, dir, seen);
}

/** Runs `fn`; tells a synchronous throw, a rejection and a value apart. */
export async function attempt(fn, dir) {
  let returned;
  try {
    returned = fn();
  } catch (error) {
    return { threw: describeError(error, dir) };
  }
  if (!(returned instanceof Promise)) return { returned: normalise(returned, dir) };
  try {
    return { resolved: normalise(await returned, dir) };
  } catch (error) {
    return { rejected: describeError(error, dir) };
  }
}

function settled(times) {
  return new Promise((resolve) => {
    const step = (left) => (left === 0 ? resolve() : setImmediate(step, left - 1));
    step(times);
  });
}

// Classes of node's own, which a few callbacks of readFile, writeFile and appendFile are called on: which ones depends
// on the version, and nothing can be done with them. Ours have no `this` there (docs/compatibility.md).
const NODE_INTERNALS = ['ReadFileContext', 'WriteFileJob'];

function describeThis(self) {
  const name = self === undefined ? 'undefined' : (self?.constructor?.name ?? typeof self);
  return NODE_INTERNALS.includes(name) ? 'undefined' : name;
}

/** Calls a callback function and reports how the callback was called: how often, `this`, arity, arguments. */
export async function attemptCallback(fn, dir, timeout_ms = patience_ms) {
  const calls = [];
  let inside = true;
  let first;
  const called = new Promise((resolve) => {
    first = resolve;
  });
  let timer;
  function callback(...args) {
    calls.push({
      sync: inside,
      self: describeThis(this),
      arity: args.length,
      args: args.map((value) => normalise(value, dir)),
    });
    first();
  }
  let returned;
  try {
    returned = fn(callback);
  } catch (error) {
    await settled(2);
    return { threw: describeError(error, dir), calls };
  } finally {
    inside = false;
  }
  const timeout = new Promise((resolve) => {
    timer = setTimeout(resolve, timeout_ms);
  });
  await Promise.race([called, timeout]);
  clearTimeout(timer);
  await settled(2); // time for a second call that must not come
  return { returned: normalise(returned, dir), calls };
}

function bytesOf(file) {
  try {
    return describeBytes(fs.readFileSync(file));
  } catch (error) {
    // Only root reads a file whose mode lets nobody read it; the mode itself is compared in any case.
    if (error.code !== 'EACCES' || process.getuid() === 0) throw error;
    return 'unreadable';
  }
}

/** Names, types, modes, sizes and bytes below `directory`. */
export function snapshot(directory) {
  const found = {};
  for (const entry of fs.readdirSync(directory, { withFileTypes: true, encoding: 'buffer' })) {
    const file = Buffer.concat([Buffer.from(directory), Buffer.from('/'), entry.name]);
    const stats = fs.lstatSync(file);
    const key = entry.name.toString('latin1');
    found[key] = { mode: stats.mode.toString(8), size: stats.isDirectory() ? 'directory' : stats.size };
    if (stats.isFile() && stats.size <= BYTES_HASHED_MAX) found[key].bytes = bytesOf(file);
    if (stats.isDirectory()) found[key].inside = snapshot(file);
  }
  return found;
}

/** Files below `directory` that this process holds open. */
export function openBelow(directory) {
  const open = [];
  for (const fd of fs.readdirSync('/proc/self/fd')) {
    try {
      const target = fs.readlinkSync(`/proc/self/fd/${fd}`);
      if (target.startsWith(`${directory}/`)) open.push(target.slice(directory.length + 1));
    } catch {
      // The descriptor that readdir itself used.
    }
  }
  return open.sort();
}

async function leakedBelow(directory) {
  const deadline = Date.now() + patience_ms;
  let open = openBelow(directory);
  while (open.length > 0 && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    open = openBelow(directory);
  }
  return open;
}

/** File status flags and position, as the kernel has them. */
export function descriptorState(fd) {
  const info = fs.readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1');
  return { pos: /pos:\t(\d+)/.exec(info)[1], flags: /flags:\t(\d+)/.exec(info)[1] };
}

function makeSide({ name, fs: sideFs, fsp }, dir) {
  return {
    name,
    fs: sideFs,
    fsp,
    dir,
    file: (relative) => path.join(dir, relative),
    /** Prepares content with node:fs on both sides. */
    put(relative, data = '') {
      const file = path.join(dir, relative);
      fs.writeFileSync(file, data);
      return file;
    },
    bytes: (relative) => describeBytes(fs.readFileSync(path.join(dir, relative))),
    attempt: (fn) => attempt(fn, dir),
    callback: (fn, timeout_ms) => attemptCallback(fn, dir, timeout_ms),
    describe: (value) => normalise(value, dir),
  };
}

async function observe(side, scenario, leaksAllowed) {
  const seen = await scenario(side);
  if (seen === undefined || seen === null || Object.keys(seen).length === 0) {
    throw new Error('the scenario returned no observation: it could not fail');
  }
  const result = {};
  for (const [label, value] of Object.entries(seen)) result[normalise(label, side.dir)] = normalise(value, side.dir);
  if (!leaksAllowed) {
    expect(await leakedBelow(side.dir), `descriptors left open by ${side.name}`).to.deep.equal([]);
  }
  result['files after'] = normalise(snapshot(side.dir));
  return result;
}

const SHOWN_CASES_MAX = 4;
const SHOWN_CHARACTERS_MAX = 900;

/** Only the labels that differ, so that a failure shows the cases and not two pages of equal data. */
export function expectSame(ours, node) {
  const differing = [];
  for (const label of new Set([...Object.keys(node), ...Object.keys(ours)])) {
    const [left, right] = [node[label], ours[label]].map((value) => JSON.stringify(value) ?? 'absent');
    if (left !== right) differing.push({ label, node: left, ours: right });
  }
  if (differing.length === 0) return;
  const shown = differing.slice(0, SHOWN_CASES_MAX).map(({ label, node: left, ours: right }) => {
    const from = Math.max(0, firstDifference(left, right) - 200);
    const excerpt = (text) => `${from > 0 ? '…' : ''}${text.slice(from, from + SHOWN_CHARACTERS_MAX)}`;
    return `${label}\n    node: ${excerpt(left)}\n    ours: ${excerpt(right)}`;
  });
  const more = differing.slice(SHOWN_CASES_MAX).map(({ label }) => label);
  if (more.length > 0) shown.push(`and also: ${more.join(' | ')}`);
  expect.fail(`${differing.length} case(s) differ from node:fs\n  ${shown.join('\n  ')}`);
}

function firstDifference(left, right) {
  let index = 0;
  while (index < left.length && left[index] === right[index]) index++;
  return index;
}

/** Runs the scenario on both sides and compares. Returns node's observation for further checks. */
export async function compareSides(scenario, { base, leaksAllowed = false } = {}) {
  const twins = twinDirectories(base);
  try {
    const seen = {};
    for (const side of SIDES) seen[side.name] = await observe(makeSide(side, twins[side.name]), scenario, leaksAllowed);
    expectSame(seen.ours, seen.node);
    return seen.node;
  } finally {
    removeDirectory(twins.root);
  }
}

/** A mocha test: `same('title', async (side) => ({ label: observation, … }))`. */
export function same(title, scenario, options) {
  it(title, async function () {
    if (options?.timeout_ms) this.timeout(options.timeout_ms);
    await compareSides(scenario, options);
  });
}

/** The runner's reporter wants every skip with its reason. */
export { skip as skipBecause } from './backend.mjs';
