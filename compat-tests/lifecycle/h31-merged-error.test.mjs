// H31: a merged request's error is not everybody's. Rule: an error belongs to nobody until that part has failed alone.
// Red when a good block beside a bad one gets EIO.
import nodeFs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { alignedBuffer, backend, stats } from 'ioengine';
import fs from 'ioengine/fs';
import { Resource } from '../fixtures/resource.mjs';
import { skip } from '../helpers/backend.mjs';

const BLOCK = 4096;
const GOOD = 12;
const BAD = 4;
const HALF = 512 * 1024;

// A device of which one half fails: to be read the second, behind the end of the backing file; to be written the first,
// a hole in a file whose filesystem is full. (A loop device takes a write that ends in such a hole for a whole one.)
function halfADevice(resource, operation) {
  const folder = resource.path('small');
  nodeFs.mkdirSync(folder);
  resource.mount(['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs'], folder);
  const image = path.join(folder, 'image');
  const fd = nodeFs.openSync(image, 'w');
  nodeFs.writeSync(fd, Buffer.alloc(HALF, 'G'), 0, HALF, operation === 'read' ? 0 : HALF);
  nodeFs.ftruncateSync(fd, HALF * 2);
  nodeFs.closeSync(fd);
  const device = resource.attachLoop(image);
  if (operation === 'read') nodeFs.truncateSync(image, HALF);
  else fillUp(path.join(folder, 'rest'));
  return { device, image };
}

function fillUp(file) {
  const fd = nodeFs.openSync(file, 'w');
  try {
    for (;;) nodeFs.writeSync(fd, Buffer.alloc(BLOCK));
  } catch (error) {
    if (error.code !== 'ENOSPC') throw error;
  } finally {
    nodeFs.closeSync(fd);
  }
}

describe('H31: neighbours of a bad block', () => {
  for (const operation of ['read', 'write']) {
    it(`${operation}: only the bad blocks fail`, async function () {
      if (process.getuid() !== 0) skip(this, 'a loop device needs root');
      const resource = new Resource('merged-error');
      try {
        const { device, image } = halfADevice(resource, operation);
        const { O_RDWR, O_DIRECT } = nodeFs.constants;
        const first = HALF / BLOCK - (operation === 'read' ? GOOD : BAD);
        const row = Array.from({ length: GOOD + BAD }, (_, i) => i);
        const isGood = (i) => first + i < HALF / BLOCK === (operation === 'read');
        const codes = async (handle, letter) => {
          const calls = row.map((i) =>
            handle[operation](alignedBuffer(BLOCK).fill(letter), 0, BLOCK, (first + i) * BLOCK),
          );
          return (await Promise.allSettled(calls)).map((result) => result.reason?.code ?? 'ok');
        };

        const plain = await nodeFs.promises.open(device, O_RDWR | O_DIRECT);
        const expected = await codes(plain, 'V');
        await plain.close();
        expect(expected.map((code) => code === 'ok')).to.deep.equal(row.map(isGood));

        const handle = await fs.promises.open(device, O_RDWR | O_DIRECT);
        const busy = handle.read(alignedBuffer(BLOCK), 0, BLOCK, 0); // an engine that is busy gathers a batch
        const { merged } = stats();
        expect(await codes(handle, 'W')).to.deep.equal(expected);
        if (backend().name !== 'threads') expect(stats().merged).to.be.above(merged);
        await busy;
        await handle.close();
        if (operation === 'write') {
          const content = nodeFs.readFileSync(image).subarray(HALF, HALF + GOOD * BLOCK);
          expect(content.equals(Buffer.alloc(GOOD * BLOCK, 'W')), 'the good blocks are written').to.equal(true);
        }
      } finally {
        resource.close();
      }
    });
  }
});
