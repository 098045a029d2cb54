// The quickstart is the first thing that anybody runs: it has to tell a good copy from a bad one.
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { inRoot, root } from '../../scripts/lib/paths.mjs';
import { skip } from '../helpers/backend.mjs';

// Flips one bit of every chunk that the node:fs side of the quickstart writes.
const sabotage = `
'use strict';
if (process.argv[1]?.endsWith('copy-worker.mjs') && process.argv[2]?.includes('node')) {
  const { WriteStream } = require('node:fs');
  const write = WriteStream.prototype._write;
  WriteStream.prototype._writev = null;
  WriteStream.prototype._write = function (data, encoding, callback) {
    const wrong = Buffer.from(data);
    wrong[0] ^= 1;
    return write.call(this, wrong, encoding, callback);
  };
}
`;

describe('repo: npm run quickstart', () => {
  let folder;
  let source;

  before(function () {
    if (!existsSync(inRoot('src', 'index.ts'))) skip(this, 'because src/ has no files');
    folder = mkdtempSync(path.join(os.tmpdir(), 'ioengine-quickstart-test-'));
    source = path.join(folder, 'source');
    // Not a multiple of any block size, so that O_DIRECT has a tail to deal with.
    writeFileSync(source, randomBytes(3_000_001));
  });
  after(() => folder && rmSync(folder, { recursive: true, force: true }));

  function run(args, env = {}) {
    const script = inRoot('scripts', 'quickstart.mjs');
    const options = { encoding: 'utf8', env: { ...process.env, ...env } };
    return spawnSync(process.execPath, [script, ...args], options);
  }

  it('copies a file on every backend and says what served it', () => {
    const { status, stdout, stderr } = run([source]);
    expect(status, stdout + stderr).to.equal(0);
    for (const name of ['node:fs', 'uring', 'aio', 'threads']) expect(stdout).to.match(new RegExp(`^${name}\\s`, 'm'));
    expect(stdout).to.include('Every copy has the SHA-256 of the source');
    const left = readdirSync(root).filter((name) => name.startsWith('.quickstart-'));
    expect(left, 'temporary folders left behind').to.deep.equal([]);
  });

  it('fails when one copy differs by one bit', () => {
    const preload = path.join(folder, 'sabotage.cjs');
    writeFileSync(preload, sabotage);
    const { status, stdout } = run([source], { NODE_OPTIONS: `--require ${preload}` });
    expect(stdout).to.include('the copy differs');
    expect(status).to.not.equal(0);
  });

  it('says in one line that there is no such file', () => {
    const { status, stderr } = run([path.join(folder, 'missing')]);
    expect(status).to.equal(1);
    expect(stderr).to.match(/^ioengine: no such file: .*\n$/);
  });
});
