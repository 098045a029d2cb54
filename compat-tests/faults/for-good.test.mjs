// What a sandbox or a lack of something takes away for good, from the start or from some call on: another lane serves
// everything as before. Red when a call fails, does not settle, or leaves files that are not as node's.
import { expect } from 'chai';
import { backendUnderTest } from '../helpers/backend.mjs';
import { isFull, needFaultPoints, report } from './support/children.mjs';

const errors = ['EPERM', 'EAGAIN', 'ENOMEM', 'ENOSYS'];
const firsts = isFull ? [1, 2, 3, 5, 8, 20, 40] : [1];

/** Sites that only a backend has, and those that all have. In npm test the first error of the former is enough. */
const cases = [
  { site: 'io_uring_submit', backend: 'uring', errors },
  // The outcome of what is in a ring that cannot be looked at is not known: at the file position that is EIO
  // (docs/decisions/0012-closed-rings.md).
  { site: 'io_uring_get_events', backend: isFull ? 'uring' : 'none', errors, may: /^rejected: Error: EIO/ },
  { site: 'io_submit', backend: 'aio', errors },
  { site: 'pthread_create', backend: isFull ? undefined : 'threads', errors: ['EAGAIN'] },
  { site: 'eventfd_write', backend: isFull ? undefined : 'none', errors: [300], kind: 'delay' },
  { site: 'mmap64', backend: isFull ? undefined : 'none', errors: ['ENOMEM'] },
  { site: 'cachestat', backend: isFull ? undefined : 'none', errors: ['ENOSYS'] },
  { site: 'io_uring_setup', backend: 'auto', errors: ['EPERM', 'ENOMEM'] },
  { site: 'io_uring_register', backend: isFull ? 'auto' : 'none', errors: ['ENOMEM', 'EPERM'] },
].filter(({ backend }) => backend === undefined || backend === backendUnderTest);

const faults = cases.flatMap(({ site, errors: values, kind = 'error', may }) =>
  values.slice(0, isFull ? undefined : 1).map((value) => ({ fault: { site, kind, value }, may })),
);

describe('faults: something is refused for good', function () {
  this.timeout(isFull ? 1_000_000 : 180_000);
  before(async function () {
    await needFaultPoints(this);
  });

  for (const { fault, may } of faults) {
    it(`${fault.site}: ${fault.value}`, async () => {
      for (const first of firsts) {
        const found = await report('for-good-child.mjs', { fault: { ...fault, first } });
        const failures = found.failures.filter(({ value }) => may === undefined || !may.test(value));
        expect(failures, `from call ${first} on`).to.deep.equal([]);
        expect(found.left).to.equal(0);
        if (first === 1 && !['mmap64', 'cachestat'].includes(fault.site)) expect(found.happened).to.be.above(0);
      }
    });
  }
});
