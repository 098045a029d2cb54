// kill -9 at any moment: whatever was acknowledged is there afterwards, and a log opens again with all of it, in order.
// Red when something is acknowledged before the kernel has it.
//
//   npm run test:kill -- --kills 500 --seed 7          the long form
import fs from 'node:fs';
import { expect } from 'chai';
import { backendUnderTest, skip } from '../helpers/backend.mjs';
import { seedsOf } from '../helpers/model.mjs';
import { removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';
import { killLog, killWriters } from './support/kills.mjs';

describe('kill -9: what was acknowledged is there', function () {
  this.timeout(300_000);
  let folder;
  beforeEach(() => {
    folder = temporaryDirectory();
  });
  afterEach(() => removeDirectory(folder));

  for (const [name, run] of Object.entries({ 'a write-ahead log': killLog, 'every way to write': killWriters })) {
    it(name, async () => {
      for (const seed of seedsOf('kill', new URL('./seeds.json', import.meta.url))) {
        const own = fs.mkdtempSync(`${folder}/`);
        const result = await run({ folder: own, backend: backendUnderTest, seed, kills: 3 });
        expect(result.faults, `IOENGINE_SEED=${seed}`).to.deep.equal([]);
        expect(result.kills).to.equal(3);
        expect(result.acknowledged).to.be.above(0);
      }
    });

    it(`${name}: one that promises too early is found out`, async function () {
      if (backendUnderTest !== 'auto') skip(this, 'it is about the test, not about a backend, and runs with auto');
      const { faults } = await run({ folder, backend: backendUnderTest, seed: 1, kills: 5, lie: 'early' });
      expect(faults).to.not.deep.equal([]);
    });
  }
});
