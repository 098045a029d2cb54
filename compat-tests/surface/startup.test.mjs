// Importing ioengine/fs costs little more than node:fs (P14). Times are for the benchmark; what a loaded machine cannot
// blur is what gets loaded: one small file, no addon, no thread, no ring, none of node's streams unless asked for.
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { expect } from 'chai';
import { inRoot } from '../../scripts/lib/paths.mjs';
import { skipBecause } from '../helpers/compare.mjs';
import { subjectOverridden } from '../helpers/oracle.mjs';
import { unavailability } from '../run.availability.mjs';

// Loading an ES module from a file starts libuv's pool; both sides have it then.
const POOL = "await (await import('node:fs/promises')).readFile('package.json');";

/** What a fresh process has after running `code`. */
function processAfter(code, { type = 'module', backend, options = [] } = {}) {
  const script = `${code}
    const files = Object.keys(process.getBuiltinModule('node:module')._cache);
    const fs = process.getBuiltinModule('node:fs');
    const links = fs.readdirSync('/proc/self/fd').map((fd) => {
      try { return fs.readlinkSync('/proc/self/fd/' + fd); } catch { return 'closed'; }
    });
    console.log(JSON.stringify({
      files: files.filter((file) => file.startsWith(${JSON.stringify(inRoot('dist') + path.sep)})),
      addon: fs.readFileSync('/proc/self/maps', 'utf8').includes('ioengine.node'),
      threads: fs.readdirSync('/proc/self/task').length,
      rings: links.filter((link) => link.includes('io_uring')).length,
      contexts: fs.readFileSync('/proc/self/maps', 'utf8').split('\\n').filter((line) => line.includes('/[aio]')).length,
      streams: process.moduleLoadList.includes('NativeModule internal/fs/streams'),
      builtins: process.moduleLoadList.filter((name) => name.startsWith('NativeModule ')).map((name) => name.slice(13)),
    }));`;
  const args = [...options, `--input-type=${type}`, '--eval', script];
  const env = { ...process.env, IOENGINE_BACKEND: backend ?? '' };
  const seen = JSON.parse(execFileSync(process.execPath, args, { cwd: inRoot(), env, encoding: 'utf8' }));
  return { ...seen, files: seen.files.map((file) => path.basename(file)) };
}

describe('surface: start-up', () => {
  before(function () {
    if (subjectOverridden) skipBecause(this, 'start-up is about ioengine, and another subject is in its place');
    if (process.getBuiltinModule === undefined) skipBecause(this, 'this Node has no process.getBuiltinModule');
  });

  for (const [how, type, ours, theirs] of [
    ['import', 'module', `${POOL} import 'ioengine/fs';`, `${POOL} import 'node:fs';`],
    ['require', 'commonjs', "require('ioengine/fs');", "require('node:fs');"],
  ]) {
    it(`${how} in auto mode loads one file, no addon, and starts no thread and no ring`, () => {
      const plain = processAfter(theirs, { type });
      const loaded = processAfter(ours, { type });
      // For the ES module too: it enters itself where require looks.
      expect(loaded.files, 'after tsc alone: npm run build:ts bundles').to.deep.equal(['fs.js']);
      expect(loaded.addon).to.equal(false);
      expect(loaded.threads).to.equal(plain.threads);
      expect(loaded.rings).to.equal(plain.rings); // Node 24 has rings of its own
      expect(loaded.streams).to.equal(false);
    });
  }

  it('the first look at what a stream class inherits loads node’s streams', () => {
    const looks = [
      'ReadStream.prototype.pipe',
      "'from' in ReadStream",
      'WriteStream.prototype instanceof Array',
      "new ReadStream('package.json').destroy()",
    ];
    for (const look of looks) {
      const seen = processAfter(`const { ReadStream, WriteStream } = await import('ioengine/fs'); ${look};`);
      expect(seen.streams, look).to.equal(true);
    }
  });

  it('the first operation loads the rest, in one file', () => {
    const used = processAfter(
      "const { open } = await import('ioengine/fs'); await (await open('package.json')).close();",
    );
    expect(used.files.sort()).to.deep.equal(['fs.js', 'rest.js']);
    expect(used.addon).to.equal(true);
  });

  // Each of them takes a millisecond or more to load.
  it('a first readFile and stat load none of the large modules of node that they do not need', () => {
    const seen = processAfter(`const { promises, readFile, close, openSync } = await import('ioengine/fs');
      await promises.stat('package.json');
      await promises.readFile('package.json', 'utf8');
      await new Promise((resolve) => readFile('package.json', resolve));
      await new Promise((resolve) => close(openSync('package.json'), resolve));`);
    expect(seen.addon).to.equal(true);
    expect(seen.builtins).to.include('internal/fs/promises');
    const large = ['worker_threads', 'string_decoder', 'stream', 'internal/abort_controller'];
    const plain = processAfter("await (await import('node:fs/promises')).readFile('package.json', 'utf8');");
    expect(seen.builtins.filter((name) => large.includes(name) && !plain.builtins.includes(name))).to.deep.equal([]);
  });

  const isThere = (backend) => unavailability(backend) === undefined;

  for (const backend of ['auto', 'uring', 'aio', 'threads']) {
    it(`${backend}: cached reads and looks at paths make no ring and no AIO context`, function () {
      if (!isThere(backend)) skipBecause(this, `${backend} is not available here`);
      const work = (module) => `${POOL} const { promises } = await import('${module}');
        for (let i = 0; i < 100; i++) {
          await promises.readFile('package.json');
          await promises.stat('package.json');
        }`;
      const plain = processAfter(work('node:fs'));
      const engine = processAfter(work('ioengine/fs'), { backend });
      expect(engine.addon).to.equal(true);
      expect(engine.rings).to.equal(plain.rings);
      expect(engine.contexts).to.equal(0);
      // The first look at a mount is the pool's.
      expect(engine.threads).to.be.at.most(plain.threads + 1);
    });
  }

  for (const [backend, made] of [
    ['uring', 'rings'],
    ['aio', 'contexts'],
  ]) {
    it(`${backend}: the first read that waits for a disk makes what the backend needs`, function () {
      if (!isThere(backend)) skipBecause(this, `${backend} is not available here`);
      const open = `const { open } = await import('ioengine/fs');
        const { alignedBuffer } = await import('ioengine');
        const handle = await open('package-lock.json', { direct: true });`;
      const before = processAfter(open, { backend });
      const after = processAfter(`${open} await handle.read(alignedBuffer(4096), 0, 4096, 0);`, { backend });
      expect(after[made] - before[made]).to.equal(1);
    });
  }

  it('register loads one file, and neither the addon nor node’s streams', () => {
    const preloaded = processAfter('', { options: ['--import', 'ioengine/register'] });
    expect(preloaded.files).to.deep.equal(['register.js']);
    expect(preloaded.addon).to.equal(false);
    expect(preloaded.streams).to.equal(false);
  });
});
