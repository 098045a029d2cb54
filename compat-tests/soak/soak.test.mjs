// Work of every kind at once, with Workers that come and go: memory, descriptors, threads, calls in flight and the
// delay of timers and sockets are bounded. Some seconds of what `npm run soak -- --minutes N` does for as long as one
// likes. Red when anything is left behind, and when a result is not what was written.
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { runChild } from '../helpers/child.mjs';
import { inMemory, removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';

const program = fileURLToPath(new URL('support/soak-child.mjs', import.meta.url));

describe('soak: all of it at once', function () {
  this.timeout(200_000);
  const folder = temporaryDirectory(inMemory);
  after(() => removeDirectory(folder));

  it('leaves nothing behind, and lets timers and sockets run', async () => {
    const seed = process.env.IOENGINE_SEED ?? String(Date.now() % 1_000_000_000);
    const child = await runChild({ nodeArgs: ['--expose-gc'], file: program, args: [folder, '3', seed] });
    expect(child.status, `IOENGINE_SEED=${seed} ${child.describe()}`).to.equal(0);
    const { faults, operations, workers } = child.json();
    expect(faults).to.deep.equal([]);
    expect(workers).to.be.above(0);
    for (const [name, count] of Object.entries(operations)) expect(count, name).to.be.above(0);
  });
});
