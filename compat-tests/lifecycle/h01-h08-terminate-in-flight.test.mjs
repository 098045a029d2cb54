// H1: a ring that is taken down does not wait for its reads: the kernel wrote the buffer 702 ms later.
// H8: external buffers are finalized before any cleanup hook, even when strongly referenced.
// Rule: teardown reaps until nothing is in flight, and only then frees; a slab is freed when its references and its
// requests in flight are both 0.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { backendUnderTest, skip } from '../helpers/backend.mjs';
import { runChild } from '../helpers/child.mjs';
import { sharedSlowDisk } from '../helpers/slow-disk.mjs';
import { STRIDE_BYTES } from './support/read-sizes.mjs';
import { BLOCK_BYTES, taggedBytes } from './support/tagged.mjs';

const READS = 4; // of each worker

const file = fileURLToPath(new URL('./support/terminate-child.mjs', import.meta.url));

// `auto` runs the very engine that has been through all of them under its own name.
const SHARE = backendUnderTest === 'auto' ? 0.2 : 1;
// A slow machine does fewer rounds, but not fewer than `least`.
const BUDGET_MS = 40_000;

describe('H1, H8: a worker is terminated with reads in flight', () => {
  async function terminate(context, options) {
    const disk = await sharedSlowDisk();
    if (disk.skipped) skip(context, disk.skipped);
    const bytes = taggedBytes(0x5a5a5a5a, (READS * STRIDE_BYTES) / BLOCK_BYTES);
    const data = disk.writeCold('terminated', bytes);
    disk.watchReadsOf(data);
    disk.setReadDelayMs(200);
    const control = path.join(path.dirname(disk.fuseFile), 'control');
    const given = { file: data, control, reads: READS, direct: true, budgetMs: BUDGET_MS, ...options };
    const child = await runChild({ file, env: { TERMINATE_OPTIONS: JSON.stringify(given) } });
    disk.reset();
    expect(child.status, child.describe()).to.equal(0);
    return child.json();
  }

  function expectClean(result, least) {
    expect(result.terminated, 'workers terminated with something in flight').to.be.at.least(least);
    expect(result.leastInFlight).to.be.above(0);
    // Red when teardown frees first and lets the kernel finish later: then each wave leaves dozens.
    expect(
      result.stillInFlight,
      `reads in flight after terminate() had resolved; the disk then: ${result.evidence}`,
    ).to.equal(0);
    expect(result.spoiled, 'buffers that a late completion wrote into').to.equal(0);
    // Red when teardown leaks its ring, eventfd, context or threads.
    expect(result.tasksGrown, 'threads left behind').to.be.at.most(2);
    expect(result.descriptorsGrown, 'descriptors left behind').to.be.at.most(4);
  }

  it(`up to ${200 * SHARE} times, with ordinary buffers`, async function () {
    const least = 40;
    const result = await terminate(this, { times: 200 * SHARE, least, width: 8, pooled: false });
    expectClean(result, least);
    // A leaked engine keeps its slots, rings and slabs: well over 200 KiB each.
    // AddressSanitizer keeps freed memory for a while (its quarantine, 256 MiB), so there the figure says nothing.
    if (!process.env.IOENGINE_TEST_SANITIZED) {
      expect(result.rssGrownMiB, 'MiB left behind by all workers after the first wave').to.be.below(64);
    }
  });

  it(`up to ${60 * SHARE} times, with buffers of the aligned pool (H8)`, async function () {
    const least = 12;
    const result = await terminate(this, { times: 60 * SHARE, least, width: 6, pooled: true, blocks: 6 * READS + 1 });
    expectClean(result, least);
    // There was time to take more blocks than the reads of a wave had, while some of those were in flight.
    expect(result.mostTakenInTime, 'blocks taken while the kernel was still writing').to.be.above(6 * READS);
    // Red when a request in flight does not hold the block under its vectors.
    expect(result.spoiledBlocks, 'blocks of the main thread that a read of a worker wrote into').to.equal(0);
  });
});
