// H1, H7, H10, H11: every way out of a program and of a Worker, at every stage of its work: created, opened, reading,
// closing. Red when one hangs, crashes or has another exit status than node gives it.
//
//   npm run test:lifecycle -- --children 1000 --node FILE       the long form
import path from 'node:path';
import { expect } from 'chai';
import { backendUnderTest } from '../helpers/backend.mjs';
import { removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';
import { leave, matrix } from './support/ways-out.mjs';
import { writeTagged } from './support/tagged.mjs';

describe('H7, H10: every way out at every stage', () => {
  const directory = temporaryDirectory();
  const file = writeTagged(path.join(directory, 'file'), 7, 64);
  after(() => removeDirectory(directory));

  for (const stage of new Set(matrix.map((one) => one.stage))) {
    it(stage, async function () {
      this.timeout(200_000);
      const seed = Number(process.env.IOENGINE_SEED ?? Date.now() % 1_000_000_000);
      const left = matrix.filter((one) => one.stage === stage);
      const faults = [];
      const lane = async () => {
        for (let one = left.shift(); one !== undefined; one = left.shift()) {
          faults.push(await leave(one, { file, seed, backend: backendUnderTest }));
        }
      };
      await Promise.all([lane(), lane(), lane()]);
      expect(faults.filter((text) => text !== undefined)).to.deep.equal([]);
    });
  }
});
