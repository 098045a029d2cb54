// H6: an overflowing completion queue; EAGAIN from io_submit never clears unless completions are reaped.
// H14: hundreds of io-wq threads. Rules: in flight <= completion queue; on EAGAIN/EBUSY reap, then resume; a FIFO
// overflow queue; workers of the ring are bounded. Red when an operation is lost at a full queue, when in flight
// passes the depth, or when operations, threads or memory grow with the length of the queue.
import path from 'node:path';
import { expect } from 'chai';
import { backend } from 'ioengine';
import { skip } from '../helpers/backend.mjs';
import { processFacts, runChild, startChild } from '../helpers/child.mjs';
import { withFilesystem } from '../helpers/filesystems.mjs';
import { sharedSlowDisk } from '../helpers/slow-disk.mjs';
import { taggedBytes, writeTagged } from './support/tagged.mjs';

const tagged = new URL('./support/tagged.mjs', import.meta.url).href;
/** limits::local_threads_max: what the pool works on comes on top of what the kernel queue holds. */
const POOL_THREADS = 32;

describe('H6, H14: far more operations than the queue is deep', () => {
  for (const kind of ['buffered', 'direct']) {
    it(`10 × depth ${kind} operations at once, reads and writes mixed`, async function () {
      const ext4 = await withFilesystem('ext4');
      if (ext4.skipped) skip(this, ext4.skipped);
      const file = writeTagged(path.join(ext4.dir, 'a'), 1, 4096);
      const child = await runChild({
        args: [file, tagged, String(backend().depth * 10)],
        code: `
          import fs from 'ioengine/fs';
          import { backend, stats } from 'ioengine';
          const { taggedBytes, taggedFault } = await import(process.argv[2]);
          const count = Number(process.argv[3]);
          const handle = await fs.open(process.argv[1], { flags: 'r+', direct: ${kind === 'direct'} });
          let most = 0, settled = 0;
          const faults = [];
          const operations = Array.from({ length: count }, async (_, i) => {
            const block = i % 4096;
            if (i % 4 === 3) {
              await handle.write(taggedBytes(1, 1, block), 0, 4096, block * 4096);
            } else {
              const buffer = Buffer.alloc(4096);
              const { bytesRead } = await handle.read(buffer, 0, 4096, block * 4096);
              const fault = taggedFault(buffer.subarray(0, bytesRead), 1, block);
              if (fault !== undefined || bytesRead !== 4096) faults.push(fault ?? bytesRead);
            }
            settled++;
            most = Math.max(most, stats().inFlight);
          });
          most = Math.max(most, stats().inFlight);
          await Promise.all(operations);
          await handle.close();
          const { inFlight, queued } = stats();
          console.log(JSON.stringify({ settled, faults: faults.slice(0, 3), most, depth: backend().depth, inFlight, queued }));`,
      });
      expect(child.status, child.describe()).to.equal(0);
      const { settled, faults, most, depth, inFlight, queued } = child.json();
      expect(faults).to.deep.equal([]);
      expect(settled).to.equal(backend().depth * 10);
      expect(most, 'in flight at once').to.be.at.most(depth + POOL_THREADS);
      expect({ inFlight, queued }).to.deep.equal({ inFlight: 0, queued: 0 });
    });
  }

  for (const kind of ['cold buffered', 'direct']) {
    it(`10,000 ${kind} reads of a slow disk: at most 64 threads, 64 MiB beyond the buffers`, async function () {
      const disk = await sharedSlowDisk();
      if (disk.skipped) skip(this, disk.skipped);
      // 40 MiB, each block read once, so that every buffered read is cold too.
      const file = disk.writeCold('ten-thousand', taggedBytes(1, 10_000));
      disk.setReadDelayMs(4);
      const child = startChild({
        args: [file],
        code: `
          import nodeFs from 'node:fs';
          import fs from 'ioengine/fs';
          const handle = await fs.open(process.argv[1], { flags: 'r', direct: ${kind === 'direct'} });
          await handle.read(Buffer.alloc(4096), 0, 4096, 0);
          // The buffers first, touched, so that what grows afterwards is the engine's and not theirs.
          const memory = Buffer.alloc(10_000 * 4096, 1);
          const peak = () => Number(/VmHWM:\\s+(\\d+)/.exec(nodeFs.readFileSync('/proc/self/status', 'latin1'))[1]) * 1024;
          nodeFs.writeFileSync('/proc/self/clear_refs', '5'); // the peak starts anew here
          const before = peak();
          const stride = 7919; // prime, so that the kernel's read-ahead does not do the work
          console.log('queued');
          const reads = Array.from({ length: 10_000 }, (_, i) => {
            const block = (i * stride) % 10_000;
            return handle.read(memory, block * 4096, 4096, block * 4096);
          });
          const bytes = (await Promise.all(reads)).reduce((sum, { bytesRead }) => sum + bytesRead, 0);
          let wrong = 0;
          for (let block = 0; block < 10_000; block++) if (memory.readUInt32LE(block * 4096 + 4) !== block) wrong++;
          const grown = peak() - before;
          await handle.close();
          console.log(JSON.stringify({ bytes, wrong, grown }));`,
      });
      let mostTasks = 0;
      await child.waitFor(/queued/);
      while (!child.over) {
        try {
          mostTasks = Math.max(mostTasks, processFacts(child.pid).tasks);
        } catch {
          break; // it has just ended
        }
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      await child.ended();
      disk.reset();
      expect(child.status, child.describe()).to.equal(0);
      const { bytes, wrong, grown } = child.json();
      expect(bytes).to.equal(10_000 * 4096);
      expect(wrong, 'blocks with wrong content').to.equal(0);
      expect(mostTasks, 'threads').to.be.within(1, 64);
      // AddressSanitizer keeps freed memory for a while (its quarantine, 256 MiB), so there the figure says nothing.
      if (!process.env.IOENGINE_TEST_SANITIZED) {
        expect(grown / 1048576, 'MiB beyond the buffers').to.be.at.most(64);
      }
    });
  }
});
