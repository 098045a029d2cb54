// H9: a strong N-API reference does not pin memory: structuredClone(ab, { transfer: [ab] }) and gc unmap it under a
// read in flight (node:fs has the same hole, and answers EFAULT).
// Rule: no crash, and the read settles exactly once: with its count or with EFAULT. Red when it crashes or hangs.
import { expect } from 'chai';
import { skip } from '../helpers/backend.mjs';
import { runChild } from '../helpers/child.mjs';
import { sharedSlowDisk } from '../helpers/slow-disk.mjs';
import { taggedBytes } from './support/tagged.mjs';

const detachments = {
  'transferred and collected': (buffer) => `structuredClone(${buffer}.buffer, { transfer: [${buffer}.buffer] });`,
  'transferred and kept': (buffer) => `kept.push(structuredClone(${buffer}.buffer, { transfer: [${buffer}.buffer] }));`,
  'sent to a channel that is closed': (buffer) =>
    `{ const { port1, port2 } = new MessageChannel(); port1.postMessage(${buffer}.buffer, [${buffer}.buffer]); port1.close(); port2.close(); }`,
};

describe('H9: the caller gives its buffer away during a slow read', () => {
  let disk;

  before(async function () {
    disk = await sharedSlowDisk();
    if (disk.skipped) skip(this, disk.skipped);
  });
  afterEach(() => disk.skipped ?? disk.reset());

  async function run(name, body) {
    const file = disk.writeCold(name, taggedBytes(9, 64));
    disk.setReadDelayMs(150);
    const child = await runChild({
      nodeArgs: ['--expose-gc'],
      args: [file],
      code: `
        import { setTimeout as sleep } from 'node:timers/promises';
        import fs from 'ioengine/fs';
        const kept = [];
        const outcomes = [];
        const handle = await fs.open(process.argv[1], { flags: 'r', direct: true });
        const note = (promise) => promise.then(({ bytesRead }) => outcomes.push(bytesRead), (error) => outcomes.push(error.code));
        ${body}
        console.log(JSON.stringify(outcomes));`,
    });
    disk.reset();
    expect(child.status, child.describe()).to.equal(0);
    return child.json();
  }

  for (const [how, detach] of Object.entries(detachments)) {
    it(how, async () => {
      const outcomes = await run(
        how.replaceAll(' ', '-'),
        `// Of several sizes: small ones come from malloc, large ones are mapped and really unmapped.
         const sizes = [4096, 65536, 131072];
         const reads = sizes.map((size, i) => {
           const buffer = Buffer.from(new ArrayBuffer(size));
           const read = note(handle.read(buffer, 0, size, i * 8192));
           ${detach('buffer')}
           return read;
         });
         for (let i = 0; i < 10; i++) { globalThis.gc(); await sleep(5); }
         await Promise.all(reads);`,
      );
      expect(outcomes).to.have.length(3);
      for (const outcome of outcomes) expect(outcome).to.be.oneOf([4096, 65536, 131072, 'EFAULT']);
    });
  }

  it('a resizable buffer shrinks under the read', async () => {
    const outcomes = await run(
      'resizable',
      `const memory = new ArrayBuffer(65536, { maxByteLength: 131072 });
       let read;
       try { read = note(handle.read(new Uint8Array(memory), 0, 65536, 0)); } catch (error) { outcomes.push(error.code); }
       memory.resize(0);
       globalThis.gc();
       await read;
       // Refusing such buffers is allowed; the same bytes into an ordinary one prove that the engine still works.
       await note(handle.read(Buffer.alloc(4096), 0, 4096, 0));`,
    );
    expect(outcomes).to.have.length(2);
    expect(outcomes[1]).to.equal(4096);
  });
});
