// The power fails: what was acknowledged as synced is on the disk, whatever the disk had not flushed yet. Each way to
// be durable writes at the same time (support/victim.mjs) to a disk that is recorded (helpers/recorded-disk.mjs), and
// what a reboot finds is compared with what was promised by then. Red when a sync resolves before the kernel's has,
// when it goes ahead of a write that was acknowledged, and when a `flush` option is forgotten.
//
//   npm run test:power-loss -- --points 2000      the long form
import { expect } from 'chai';
import { backendUnderTest, skip } from '../helpers/backend.mjs';
import { seedsOf } from '../helpers/model.mjs';
import { losePower } from './support/power-loss.mjs';
import { actorNames } from './support/victim-files.mjs';

describe('power loss: what was synced is there', function () {
  this.timeout(300_000);
  const options = { backend: backendUnderTest, rounds: 6 };

  for (const [filesystem, points] of [
    ['ext4', 20],
    ['xfs', 5],
  ]) {
    it(`${filesystem}, ${points} moments`, async function () {
      for (const seed of seedsOf('power-loss', new URL('./seeds.json', import.meta.url))) {
        const result = await losePower({ ...options, filesystem, points, seed });
        if (result.skipped) skip(this, result.skipped);
        expect(result.faults, `IOENGINE_SEED=${seed}`).to.deep.equal([]);
        expect(result.points).to.equal(points);
        expect(result.flushes).to.be.above(10);
      }
    });
  }

  it('a program that syncs nothing is found out, in each of its files', async function () {
    if (backendUnderTest !== 'auto') skip(this, 'it is about the test, not about a backend, and runs with auto');
    const result = await losePower({ ...options, filesystem: 'ext4', points: 20, seed: 1, lie: 'unsynced' });
    if (result.skipped) skip(this, result.skipped);
    const seen = actorNames.filter((name) => result.faults.some((text) => text.includes(`: ${name}`)));
    expect(seen).to.deep.equal(actorNames);
  });
});
