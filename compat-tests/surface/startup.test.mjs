// Importing ioengine/fs costs little more than node:fs (P14). Times are for the benchmark; what a loaded machine cannot
// blur is what gets loaded: one small file, no addon, no thread, no ring, none of node's streams unless asked for.
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { expect } from 'chai';
import { inRoot } from '../../scripts/lib/paths.mjs';
import { skipBecause } from '../helpers/compare.mjs';
import { subjectOverridden } from '../helpers/oracle.mjs';

// Loading an ES module from a file starts libuv's pool; both sides have it then.
const POOL = "await (await import('node:fs/promises')).readFile('package.json');";

/** What a fresh process has after running `code`. */
function processAfter(code, { type = 'module', backend } = {}) {
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
      streams: process.moduleLoadList.includes('NativeModule internal/fs/streams'),
    }));`;
  const args = [`--input-type=${type}`, '--eval', script];
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

  it('a backend asked for by name is tried at import, and kept by nobody', () => {
    const forced = processAfter(`${POOL} import 'ioengine/fs';`, { backend: 'threads' });
    expect(forced.addon).to.equal(true);
    const plain = processAfter(`${POOL} import 'node:fs';`);
    expect(forced.rings).to.equal(plain.rings);
    expect(forced.threads).to.equal(plain.threads);
  });
});
