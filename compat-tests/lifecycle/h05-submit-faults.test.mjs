// H5: a failed submit leaves the sqe in the ring, and the next submit sends both; AIO accepts part of a batch.
// Rule: account by what the kernel consumed; fail only the first request not accounted for and go on with the rest;
// never free because a submit failed. Red when a failing submit rejects, loses or repeats an operation.
import path from 'node:path';
import { expect } from 'chai';
import { backend } from 'ioengine';
import { skip } from '../helpers/backend.mjs';
import { runChild } from '../helpers/child.mjs';
import { injection, loopWithoutRings, straceObstacle } from '../helpers/faults.mjs';
import { withFilesystem } from '../helpers/filesystems.mjs';
import { writeTagged } from './support/tagged.mjs';

const submitCall = { uring: 'io_uring_enter', aio: 'io_submit' };
const faults = {
  uring: [
    { error: 'EAGAIN', when: '2..3' },
    { error: 'EINTR', when: '2..3' },
    { error: 'EBUSY', when: '2..3' },
    { error: 'EAGAIN', when: '1..4' },
    { error: 'EINTR', when: '3+2' },
  ],
  aio: [
    { error: 'EAGAIN', when: '1' },
    { error: 'EAGAIN', when: '2..3' },
    { error: 'EINTR', when: '2..3' },
    { error: 'EAGAIN', when: '3+2' },
  ],
};

// Reads and then writes in bursts, each block checked against its tag: a request sent twice writes an old block over
// a new one, a lost one never settles (and the child times out), one freed too early has wrong bytes.
const code = `
  import fs from 'ioengine/fs';
  import { backend, stats } from 'ioengine';
  const { taggedBytes, taggedFault } = await import(process.argv[2]);
  const handle = await fs.open(process.argv[1], { flags: 'r+', direct: true });
  const faults = [];
  let settled = 0;
  for (let burst = 0; burst < 12; burst++) {
    await Promise.all(Array.from({ length: 16 }, async (_, i) => {
      const buffer = Buffer.alloc(4096);
      const { bytesRead } = await handle.read(buffer, 0, 4096, i * 8192);
      const fault = taggedFault(buffer.subarray(0, bytesRead), burst + 1, i * 2);
      if (fault !== undefined || bytesRead !== 4096) faults.push(fault ?? bytesRead);
      settled++;
    }));
    await Promise.all(Array.from({ length: 16 }, async (_, i) => {
      const { bytesWritten } = await handle.write(taggedBytes(burst + 2, 1, i * 2), 0, 4096, i * 8192);
      if (bytesWritten !== 4096) faults.push(bytesWritten);
      settled++;
    }));
  }
  await handle.close();
  const { lanes, inFlight, queued } = stats();
  console.log(JSON.stringify({ faults, settled, inFlight, queued, name: backend().name, lanes }));`;

const tagged = new URL('./support/tagged.mjs', import.meta.url).href;

describe('H5: a submit that fails or takes only a part', () => {
  const name = backend().name;

  if (submitCall[name] === undefined) {
    it('io_uring_enter and io_submit fail', function () {
      skip(this, `the ${name} backend submits to no kernel queue`);
    });
  }

  for (const fault of faults[name] ?? []) {
    it(`${injection(submitCall[name], fault)}`, async function () {
      const obstacle = straceObstacle();
      if (obstacle) skip(this, obstacle);
      const ext4 = await withFilesystem('ext4');
      if (ext4.skipped) skip(this, ext4.skipped);
      const file = writeTagged(path.join(ext4.dir, 'a'), 1, 64);
      const child = await runChild({
        code,
        args: [file, tagged],
        strace: {
          trace: `io_uring_setup,${submitCall[name]}`,
          inject: [...(await loopWithoutRings()), injection(submitCall[name], fault)],
        },
      });
      expect(child.status, child.describe()).to.equal(0);
      const { faults: seen, settled, inFlight, queued } = child.json();
      expect(seen).to.deep.equal([]);
      expect(settled).to.equal(12 * 32);
      expect({ inFlight, queued }).to.deep.equal({ inFlight: 0, queued: 0 });
      const injected = child.trace.filter((line) => line.includes(submitCall[name]) && line.includes('(INJECTED)'));
      expect(injected.length, 'the fault was really injected').to.be.above(0);
    });
  }

  it('a bad descriptor in the middle of a batch fails alone', async function () {
    const ext4 = await withFilesystem('ext4');
    if (ext4.skipped) skip(this, ext4.skipped);
    const file = writeTagged(path.join(ext4.dir, 'b'), 1, 64);
    const child = await runChild({
      args: [file, tagged],
      code: `
        import nodeFs from 'node:fs';
        import fs from 'ioengine/fs';
        import { alignedBuffer } from 'ioengine';
        const { taggedFault } = await import(process.argv[2]);
        const { O_RDONLY, O_DIRECT } = nodeFs.constants;
        const read = (fd, block) => new Promise((resolve) => {
          const buffer = alignedBuffer(4096);
          fs.read(fd, buffer, 0, 4096, block * 4096, (error, bytesRead) =>
            resolve(error?.code ?? taggedFault(buffer, 1, block) ?? bytesRead));
        });
        const outcomes = [];
        // The engine opens its own descriptors now, and not later under the number of a closed one.
        const warm = fs.openSync(process.argv[1], O_RDONLY | O_DIRECT);
        await read(warm, 0);
        fs.closeSync(warm);
        for (let round = 0; round < 50; round++) {
          const good = fs.openSync(process.argv[1], O_RDONLY | O_DIRECT);
          const bad = fs.openSync(process.argv[1], O_RDONLY | O_DIRECT);
          // Closed behind the engine's back: whatever it remembers about the number is out of date.
          nodeFs.closeSync(bad);
          outcomes.push((await Promise.all([read(good, 0), read(good, 2), read(bad, 4), read(good, 6), read(good, 8)])).join());
          fs.closeSync(good);
        }
        console.log(JSON.stringify([...new Set(outcomes)]));`,
    });
    expect(child.status, child.describe()).to.equal(0);
    expect(child.json()).to.deep.equal(['4096,4096,EBADF,4096,4096']);
  });
});
