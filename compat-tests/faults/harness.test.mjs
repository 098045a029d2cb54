// The loop over the n-th fault can fail: each way of being broken turns it red.
import { expect } from 'chai';
import { backendUnderTest } from '../helpers/backend.mjs';
import { needFaultPoints, report } from './support/children.mjs';
import { waysToBreak } from './support/broken-fs.mjs';

const SCENARIOS = {
  'a wrong byte': ['readFile of a small file', /instead of|wrong bytes/],
  'an error that is swallowed': ['writeFile of a small file', /resolved, and new is|says nothing of the error/],
  'an error of its own': ['stat', /an error with the code undefined/],
  'a descriptor that is left': ['mkdir', /^left: /],
  'a promise that does not settle': ['readlink', /does not settle/],
};

/** It is no question of the backend: once is enough. */
const describeOnce = backendUnderTest === 'threads' ? describe : () => {};

describeOnce('faults: the harness turns red', () => {
  before(async function () {
    await needFaultPoints(this);
  });

  for (const broken of waysToBreak) {
    it(`for ${broken}`, async () => {
      const [scenario, expected] = SCENARIOS[broken];
      const share = scenario === 'readlink' ? 1 : 0.3; // it has few sites
      const argument = { share, seed: 1, broken, cold: 1, settleMs: 300, only: { scenario } };
      const { failures } = await report('nth-fault-child.mjs', argument);
      expect(failures.map(({ wrong }) => wrong).join('\n')).to.match(expected);
      const sound = await report('nth-fault-child.mjs', { ...argument, broken: undefined, settleMs: undefined });
      expect(sound.failures).to.deep.equal([]);
    });
  }

  it('for a wake-up that is lost', async () => {
    const argument = { share: 1, seed: 1, cold: 1, settleMs: 1000, only: { scenario: 'handle.write', kind: 'lose' } };
    const { failures } = await report('nth-fault-child.mjs', { ...argument, loses: true });
    expect(failures.map(({ wrong }) => wrong)).to.include('does not settle');
  });
});
