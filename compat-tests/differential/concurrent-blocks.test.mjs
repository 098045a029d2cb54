// Many operations in flight on one file, by several handles at once. Each block says which one it is and of which
// version, so a read that comes back with a wrong place, an old version or a mixture is recognised; one that overlaps a
// write of its block may see either. Red when a request gets another's memory, place or result.
//
//   IOENGINE_RUNS=200 npx mocha --timeout 3600000 compat-tests/differential/concurrent-blocks.test.mjs   a long run
//   IOENGINE_SEED=<seed>                                                                        one seed alone
import fs from 'node:fs';
import { expect } from 'chai';
import { skipBecause } from '../helpers/compare.mjs';
import { withFilesystem } from '../helpers/filesystems.mjs';
import { runs, seedsOf } from '../helpers/model.mjs';
import { temporaryDirectory } from '../helpers/tempdir.mjs';
import { ConcurrentBlocks } from './support/concurrent-blocks.mjs';

const KINDS = ['the temp folder', 'ext4', 'xfs', 'btrfs', 'tmpfs'];
const OPERATIONS_PER_RUN = 500;

for (const kind of KINDS) {
  describe(`differential: blocks written and read at once on ${kind}`, function () {
    this.timeout(Math.max(600_000, runs(1) * 60_000));
    let directory;
    before(async function () {
      const filesystem = kind === 'the temp folder' ? { dir: temporaryDirectory() } : await withFilesystem(kind);
      if (filesystem.skipped) return skipBecause(this, filesystem.skipped);
      directory = filesystem.dir;
    });
    after(() => directory && fs.rmSync(directory, { recursive: true, force: true }));

    for (const direct of [false, 'try', 'mixed']) {
      it(direct === false ? 'buffered' : direct === 'try' ? 'with O_DIRECT' : 'both ways at once', async () => {
        const operations = OPERATIONS_PER_RUN * runs(1);
        for (const seed of seedsOf('blocks', new URL('./seeds.json', import.meta.url))) {
          const blocks = new ConcurrentBlocks(`${directory}/blocks`, { seed, direct });
          await blocks.run(operations);
          expect(blocks.faults.slice(0, 5), `IOENGINE_SEED=${seed}`).to.deep.equal([]);
          expect(blocks.done).to.equal(operations);
          fs.rmSync(`${directory}/blocks`);
        }
        if (process.env.IOENGINE_RUNS) console.log(`  ${operations} operations on ${kind}, direct: ${direct}`);
      });
    }
  });
}
