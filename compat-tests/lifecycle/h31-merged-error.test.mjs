// H31: a merged request's error is not everybody's. Rule: an error belongs to nobody until that part has failed alone.
// Red when a good block beside a bad one gets EIO.
import nodeFs from 'node:fs';
import { expect } from 'chai';
import { alignedBuffer } from 'ioengine';
import fs from 'ioengine/fs';
import { Resource } from '../fixtures/resource.mjs';
import { skip } from '../helpers/backend.mjs';

const BLOCK = 4096;
const GOOD = 12;
const BAD = 4;
const HALF = 512 * 1024;

describe('H31: neighbours of a bad block', () => {
  for (const operation of ['read', 'write']) {
    it(`${operation}: only the bad blocks fail`, async function () {
      if (process.getuid() !== 0) skip(this, 'a loop device needs root');
      const resource = new Resource('merged-error');
      try {
        const image = resource.path('image');
        nodeFs.writeFileSync(image, Buffer.alloc(HALF * 2, 'G'));
        const device = resource.attachLoop(image, ['--direct-io=on']);
        const { O_RDWR, O_DIRECT } = nodeFs.constants;
        const handle = await fs.promises.open(device, O_RDWR | O_DIRECT);
        // Blocks behind the end of the backing file fail to be read; a device that takes no writes fails them all.
        nodeFs.truncateSync(image, HALF);
        const first = HALF / BLOCK - GOOD;
        await handle.read(alignedBuffer(BLOCK), 0, BLOCK, 0); // an engine that is busy gathers a batch
        const results = await Promise.allSettled(
          Array.from({ length: GOOD + BAD }, (_, i) =>
            handle[operation](alignedBuffer(BLOCK), 0, BLOCK, (first + i) * BLOCK),
          ),
        );
        await handle.close();
        const codes = results.map((result) => result.reason?.code ?? 'ok');
        expect(codes.slice(0, GOOD)).to.deep.equal(Array(GOOD).fill('ok'));
        if (operation === 'read') expect(codes.slice(GOOD)).to.deep.equal(Array(BAD).fill('EIO'));
      } finally {
        resource.close();
      }
    });
  }
});
