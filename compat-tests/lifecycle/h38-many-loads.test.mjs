// H38: the JavaScript is loaded many times in one thread (test runners, dev servers that clear require.cache, vm
// contexts). All copies share one engine; copies of different versions, each with an addon of its own, work side by
// side. Red when each load makes an engine, or when the loop sleeps on a request that was accepted while another
// engine's callbacks ran.
import fs from 'node:fs';
import { expect } from 'chai';
import { skip } from '../helpers/backend.mjs';
import { runChild } from '../helpers/child.mjs';
import { removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';
import { inRoot } from '../../scripts/lib/paths.mjs';

const ADDON = process.env.IOENGINE_ADDON ?? inRoot('build', 'Release', 'ioengine.node');

/**
 * For a child: `load()` is a new copy of the JavaScript; `exercise(fs)` uses what runs at once, in the ring and in the
 * pool.
 */
const PROLOGUE = `
  const real = require('node:fs');
  const dir = process.argv.at(-1);
  const path = ${JSON.stringify(inRoot('dist', 'fs.js'))};
  function load() {
    for (const key of Object.keys(require.cache)) if (key.includes('/dist/')) delete require.cache[key];
    return require(path);
  }
  let calls = 0;
  async function exercise(fs) {
    const p = fs.promises;
    const name = 'f' + calls++, file = dir + '/' + name;
    await p.writeFile(file, 'content');
    if ((await p.readFile(file, 'utf8')) !== 'content') throw new Error('readFile');
    await new Promise((resolve, reject) => fs.readFile(file, (error) => (error ? reject(error) : resolve())));
    const handle = await p.open(file);
    const { bytesRead } = await handle.read(Buffer.alloc(100), 0, 100, 0);
    if (bytesRead !== 7 || (await handle.stat()).size !== 7) throw new Error('handle');
    await handle.close();
    if ((await p.stat(file)).size !== 7 || !(await p.readdir(dir)).includes(name)) throw new Error('paths');
    let text = '';
    for await (const chunk of fs.createReadStream(file, 'utf8')) text += chunk;
    if (text !== 'content') throw new Error('stream');
    await p.stat(dir + '/no').then(() => { throw new Error('no error'); }, (error) => { if (error.code !== 'ENOENT') throw error; });
  }
  const descriptors = () => real.readdirSync('/proc/self/fd').length;
  const threads = () => real.readdirSync('/proc/self/task').map((id) => real.readFileSync('/proc/self/task/' + id + '/comm', 'utf8').trim()).filter((name) => name === 'ioengine-pool').length;
`;

describe('H38: one engine per thread, whoever loads it', () => {
  let directory;
  beforeEach(() => {
    directory = temporaryDirectory();
  });
  afterEach(() => removeDirectory(directory));

  async function run(source, env = {}, nodeArgs = []) {
    const file = `${directory}/main.cjs`;
    fs.writeFileSync(
      file,
      `${PROLOGUE}(async () => { ${source} })().catch((error) => { console.error(error); process.exit(1); });`,
    );
    const child = await runChild({ file, args: [directory], env, nodeArgs });
    expect(child.status, child.describe()).to.equal(0);
    expect(child.stderr).to.equal('');
    return child.json();
  }

  it('60 loads cost no descriptor, thread or listener more than one', async () => {
    const seen = await run(`
      const one = load();
      // Many at once: the first that need a ring make it.
      await Promise.all(Array.from({ length: 60 }, () => exercise(one)));
      const listeners = () => process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0);
      const before = [descriptors(), listeners()];
      const all = [];
      for (let i = 0; i < 60; i++) { const fs = load(); all.push(fs); await exercise(fs); }
      // All of them at once, and the first one still.
      await Promise.all(all.map((fs) => exercise(fs)));
      console.log(JSON.stringify({ before, after: [descriptors(), listeners()], threads: threads() }));`);
    expect(seen.after).to.deep.equal(seen.before);
    // A job that takes over 1 ms does not count against the eight, so a busy machine sees more: 32 and the one that
    // watches are the most. An engine for each load would have at least one thread each.
    expect(seen.threads).to.be.at.most(33);
  });

  it('a call of one copy out of the delivery of another does not wait for something else to wake the loop', async () => {
    const seen = await run(`
      const copies = [load(), load(), load()];
      for (const fs of copies) await exercise(fs);
      const spin = (ms) => { const end = performance.now() + ms; while (performance.now() < end); };
      let worst = 0;
      for (let i = 0; i < 30; i++) {
        const [first, second] = [copies[i % 3], copies[(i + 1 + (i % 2)) % 3]];
        await new Promise((resolve) => setImmediate(resolve));
        const awake = setInterval(() => {}, 2000);
        const promise = first.promises.readdir(dir);
        spin(3); // finished in the pool before the loop polls: delivered in the prepare phase
        const started = await promise.then(async () => { const now = performance.now(); await second.promises.readdir(dir); return now; });
        worst = Math.max(worst, performance.now() - started);
        clearInterval(awake);
      }
      console.log(JSON.stringify(worst));`);
    expect(seen).to.be.below(1500);
  });

  it('two addons, as two versions have them, work side by side', async function () {
    if (process.env.LD_PRELOAD) skip(this, 'because a sanitizer’s runtime finds the same globals in two copies');
    fs.copyFileSync(ADDON, `${directory}/other.node`);
    const seen = await run(`
      const first = load();
      await exercise(first);
      process.env.IOENGINE_ADDON = dir + '/other.node';
      const second = load();
      await exercise(second);
      const spin = (ms) => { const end = performance.now() + ms; while (performance.now() < end); };
      let worst = 0;
      for (let i = 0; i < 20; i++) {
        for (const [one, other] of [[first, second], [second, first]]) {
          await new Promise((resolve) => setImmediate(resolve));
          const awake = setInterval(() => {}, 2000);
          const promise = one.promises.readdir(dir);
          spin(3);
          const started = await promise.then(async () => { const now = performance.now(); await other.promises.readdir(dir); return now; });
          worst = Math.max(worst, performance.now() - started);
          clearInterval(awake);
        }
      }
      const maps = new Set(real.readFileSync('/proc/self/maps', 'utf8').match(/\\S+\\.node$/gm));
      console.log(JSON.stringify({ worst, addons: maps.size }));`);
    expect(seen.addons).to.equal(2);
    expect(seen.worst).to.be.below(1500);
  });

  it('a copy that asks for another backend than the one that runs is refused', async () => {
    const seen = await run(
      `
      await exercise(load());
      process.env.IOENGINE_BACKEND = 'aio';
      const refusal = () => { try { load(); } catch ({ code, message }) { return [code, message]; } };
      const seen = refusal();
      process.env.IOENGINE_BACKEND = 'threads';
      await exercise(load());
      console.log(JSON.stringify(seen));`,
      { IOENGINE_BACKEND: 'threads' },
    );
    expect(seen?.[0]).to.equal('ERR_IOENGINE_BACKEND_UNAVAILABLE');
    expect(seen[1]).to.include("'aio'").and.include("started on 'threads' before").and.include('Fix: ');
  });

  it('an idle engine is no open handle: it has no async resource, and does not keep the process', async () => {
    const seen = await run(`
      const { createHook } = require('node:async_hooks');
      const alive = new Map();
      createHook({
        init: (id, type) => { if (type !== 'PROMISE' && type !== 'TickObject') alive.set(id, type); },
        destroy: (id) => alive.delete(id),
      }).enable();
      async function leftBy(fs) {
        alive.clear();
        await exercise(fs);
        for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
        return [...alive.values()];
      }
      console.log(JSON.stringify({ plain: await leftBy(real), ours: await leftBy(load()) }));`);
    // Node's own objects (FILEHANDLE, what watches a stream's end) are destroyed when they are collected.
    expect(seen.ours.filter((type) => !seen.plain.includes(type) && type !== 'FILEHANDLE')).to.deep.equal([]);
  });

  // Test runners give each file a context of its own. What the engine holds belongs to the main one.
  it('a context that was the first to load it can be collected', async () => {
    const seen = await run(
      `
      const vm = require('node:vm');
      const { dirname } = require('node:path');
      const compiled = new Map();
      const textOf = (file) => compiled.get(file) ?? compiled.set(file, real.readFileSync(file, 'utf8')).get(file);
      async function useInContext() {
        const context = vm.createContext({ process, Buffer, URL, AbortSignal, console });
        let rest;
        const inside = (file) => {
          const made = { exports: {}, filename: file };
          const wrapper = vm.runInContext('(function (exports, require, module, __dirname) {' + textOf(file) + '\\n})', context);
          wrapper(made.exports, (name) => (name === './rest.js' ? (rest ??= inside(path.replace('fs.js', 'rest.js'))) : require(name)), made, dirname(file));
          return made.exports;
        };
        await exercise(inside(path));
        return new WeakRef(vm.runInContext('globalThis.mark = {}', context));
      }
      const marks = [];
      for (let i = 0; i < 5; i++) marks.push(await useInContext());
      for (let i = 0; i < 20 && marks.some((mark) => mark.deref()); i++) {
        await new Promise((resolve) => setTimeout(resolve, 20));
        gc();
      }
      await exercise(load());
      console.log(JSON.stringify(marks.map((mark) => mark.deref() !== undefined)));`,
      {},
      ['--expose-gc'],
    );
    expect(seen).to.deep.equal([false, false, false, false, false]);
  });

  it('a vm context and Workers', async () => {
    const seen = await run(`
      const vm = require('node:vm');
      const { Worker } = require('node:worker_threads');
      const work = () => new Promise((resolve, reject) => {
        const worker = new Worker('require(' + JSON.stringify(path) + ').promises.readFile(' + JSON.stringify(path) + ')', { eval: true });
        worker.on('error', reject).on('exit', resolve);
      });
      await exercise(load());
      await work(); // what node opens for its first Worker stays
      const one = descriptors();
      const context = vm.createContext({ process, Buffer, URL, AbortSignal, console });
      const source = real.readFileSync(path, 'utf8');
      const module_ = { exports: {} };
      const rest = path.replace('fs.js', 'rest.js');
      const inside = (file) => {
        const made = { exports: {}, filename: file };
        const wrapper = vm.runInContext('(function (exports, require, module, __dirname) {' + real.readFileSync(file, 'utf8') + '\\n})', context);
        wrapper(made.exports, (name) => (name === './rest.js' ? (inside.rest ??= inside(rest)) : require(name)), made, require('node:path').dirname(file));
        return made.exports;
      };
      await exercise(inside(path));
      await Promise.all([work(), work(), work(), work()]);
      await exercise(load());
      const names = real.readdirSync('/proc/self/fd').map((fd) => { try { return real.readlinkSync('/proc/self/fd/' + fd); } catch { return ''; } });
      console.log(JSON.stringify({ more: descriptors() - one, names }));`);
    expect(seen.more, JSON.stringify(seen.names)).to.equal(0);
  });
});
