// Random operations on one file against a shadow of it, on the filesystems that programs meet; O_DIRECT on ext4, xfs,
// tmpfs and overlayfs is in direct.test.mjs.
//
//   IOENGINE_RUNS=500 npx mocha --timeout 3600000 compat-tests/differential/shadow.test.mjs     a long run
import fs from 'node:fs';
import fc from 'fast-check';
import { skipBecause } from '../helpers/compare.mjs';
import { withFilesystem } from '../helpers/filesystems.mjs';
import { checkProperty, runs } from '../helpers/model.mjs';
import { temporaryDirectory } from '../helpers/tempdir.mjs';
import { OPENERS, operation, runOnShadow } from './support/shadow-file.mjs';

const USUAL_RUNS = 6;
const PLAN = {
  'the temp folder': ['buffered', "direct: 'try'"],
  ext4: ['buffered'],
  xfs: ['buffered'],
  btrfs: ['buffered', 'direct: true'],
};

for (const [kind, openers] of Object.entries(PLAN)) {
  describe(`differential: one file against its shadow on ${kind}`, function () {
    this.timeout(Math.max(600_000, runs(USUAL_RUNS) * 3000));
    let directory;
    let taken = 0;
    before(async function () {
      const filesystem = kind === 'the temp folder' ? { dir: temporaryDirectory() } : await withFilesystem(kind);
      if (filesystem.skipped) return skipBecause(this, filesystem.skipped);
      directory = filesystem.dir;
    });
    after(() => {
      if (directory) fs.rmSync(directory, { recursive: true, force: true });
      if (process.env.IOENGINE_RUNS) console.log(`  ${taken} operations on ${kind}`);
    });

    for (const opener of openers) {
      it(`random operations, ${opener}`, async () => {
        const operations = fc.array(operation, { minLength: 1, maxLength: 40, size: 'max' });
        const property = fc.asyncProperty(operations, async (chosen) => {
          await runOnShadow(directory, OPENERS[opener], chosen);
          taken += chosen.length;
        });
        await checkProperty(property, { group: 'shadow', file: 'shadow.test.mjs', usualRuns: USUAL_RUNS });
      });
    }
  });
}
