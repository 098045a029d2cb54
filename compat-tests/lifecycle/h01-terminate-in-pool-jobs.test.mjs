// H1 for calls on paths that one pool job does: the job reads memory of the worker (what is written, the path) and owns
// a descriptor between its steps.
// Rule: the end of an environment waits for what is in flight and for all that changes a file; what only reads does not
// begin any more.
// Red when the pool is not joined: the file changes behind the worker's end, or memory that was given back is written
// to it.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { skip } from '../helpers/backend.mjs';
import { runChild } from '../helpers/child.mjs';
import { sharedSlowDisk } from '../helpers/slow-disk.mjs';
import { removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';

const file = fileURLToPath(new URL('./support/pool-jobs-child.mjs', import.meta.url));
const ROUNDS = 12;

describe('H1: a worker is terminated with whole calls on paths in flight', () => {
  it(`${ROUNDS} times: what was begun is whole, and nothing is left`, async function () {
    const disk = await sharedSlowDisk();
    if (disk.skipped) skip(this, disk.skipped);
    const folder = temporaryDirectory(disk.mountPoint);
    disk.setWriteDelayMs(30);
    const child = await runChild({ file, args: [folder, String(ROUNDS)] });
    disk.reset();
    removeDirectory(folder);
    expect(child.status, child.describe()).to.equal(0);
    const { seen, tasksGrown, descriptorsGrown } = child.json();
    expect(seen).to.have.length(ROUNDS);
    for (const { inFlight, left, changed, faults } of seen) {
      expect(inFlight, 'in flight when the worker was terminated').to.be.above(0);
      expect({ left, changed, faults }).to.deep.equal({ left: 0, changed: 0, faults: [] });
    }
    expect(Math.max(...seen.map(({ files }) => files)), `files written in ${path.basename(folder)}`).to.be.above(0);
    expect(tasksGrown, 'threads left behind').to.be.at.most(0);
    expect(descriptorsGrown, 'descriptors left behind').to.be.at.most(0);
  });
});
