// The n-th call of every system call and the n-th completion fail, once and for good, in every operation of the API.
// Red when a call does not settle or settles twice, when it gives other bytes than are there or an error that is not
// node's, when a write says that it is done and is not, when an fsync does not say that it failed, when a request, a
// descriptor or memory is left, and when the call after it fails.
//
//   IOENGINE_TEST_SEED=N npm test -- --backend aio compat-tests/faults     the runs of a seed
//   IOENGINE_TEST_SITE=fsync npm test -- --backend aio compat-tests/faults   all of one site
//   IOENGINE_TEST_FULL=1 npm test -- --backend aio compat-tests/faults     all runs
import { randomInt } from 'node:crypto';
import { expect } from 'chai';
import { backendUnderTest, skip } from '../helpers/backend.mjs';
import { isFull, needFaultPoints, report } from './support/children.mjs';

const site = process.env.IOENGINE_TEST_SITE;
const seed = Number(process.env.IOENGINE_TEST_SEED ?? randomInt(1, 2 ** 31));
// As much as a few seconds allow; all of it is in npm run test:full. Automatic choice is what uring is.
const runs = isFull
  ? [
      { share: 1, cold: 0 },
      { share: 1, cold: 1 },
    ]
  : [{ share: site === undefined ? 0.025 : 1, cold: 0.5 }];

describe('faults: the n-th call fails', function () {
  this.timeout(isFull ? 1_000_000 : 180_000);
  before(async function () {
    if (backendUnderTest === 'auto') skip(this, 'because it chooses one of the others');
    await needFaultPoints(this);
  });

  for (const { share, cold } of runs) {
    it(`in every operation, ${cold * 100} % of them with nothing in the caches`, async () => {
      const found = await report('nth-fault-child.mjs', { share, seed, cold, only: { site } });
      expect(found.failures, `IOENGINE_TEST_SEED=${seed}`).to.deep.equal([]);
      // The harness meets what it is for: nearly every run has its fault, and a good part of the sites.
      expect(found.happened).to.be.above(found.runs * 0.8);
      if (site !== undefined) return;
      expect(Object.keys(found.sites).length, Object.keys(found.sites).join(' ')).to.be.above(isFull ? 35 : 12);
      if (!isFull) return;
      console.log(`    seed ${seed}: ${found.runs} runs, ${found.happened} faults, slowest ${found.slowest} ms`);
      console.log(`    never reached on ${backendUnderTest}: ${found.never.join(' ')}`);
    });
  }
});
