// H2: a disk read in flight cannot be cancelled. Rule: abort rejects; the buffer and the descriptor stay owned until
// the kernel's completion has been seen. Red when abort (or destroy) gives either of them back at once.
import fs from 'node:fs';
import { expect } from 'chai';
import { skip } from '../helpers/backend.mjs';
import { runChild } from '../helpers/child.mjs';
import { sharedSlowDisk } from '../helpers/slow-disk.mjs';
import { taggedBytes } from './support/tagged.mjs';

const DELAY_MS = 150; // of writes; reads are held until the child lets them go

// Everything happens in a child: a write into memory that was given back may kill it.
const prelude = `
  import nodeFs from 'node:fs';
  import { setTimeout as sleep } from 'node:timers/promises';
  import fs from 'ioengine/fs';
  const [files, control] = JSON.parse(process.argv[1]);
  // Reads alone: the filesystem writes when it likes.
  const inFlight = () => Number(/^reads_in_flight (\\d+)$/m.exec(nodeFs.readFileSync(control, 'latin1'))[1]);
  const holds = (file) => nodeFs.readdirSync('/proc/self/fd').some((fd) => {
    try { return nodeFs.readlinkSync('/proc/self/fd/' + fd) === file; } catch { return false; }
  });
  const release = () => nodeFs.writeFileSync(control, 'hold_reads 0\\n');
  const untilIdle = async () => { while (inFlight() > 0) await sleep(5); };
  // Takes the memory that was just given back, if any was, and fills it; a late completion then shows.
  const canaries = [];
  const dig = () => {
    globalThis.gc();
    for (let i = 0; i < 100; i++) canaries.push(Buffer.alloc(65536, 0xa5), Buffer.allocUnsafeSlow(4096).fill(0xa5));
  };
  const spoiled = () => canaries.filter((buffer) => !buffer.every((byte) => byte === 0xa5)).length;
  const result = {};`;

describe('H2: abort and destroy with a read in flight', () => {
  let disk;

  before(async function () {
    disk = await sharedSlowDisk();
    if (disk.skipped) skip(this, disk.skipped);
  });
  afterEach(() => disk.skipped ?? disk.reset());

  async function run(name, count, code, blocks = 16) {
    const bytes = taggedBytes(0x5a5a5a5a, blocks);
    const files = Array.from({ length: count }, (_, i) => disk.writeCold(`${name}-${i}`, bytes));
    disk.setWriteDelayMs(DELAY_MS);
    disk.holdReads();
    const child = await runChild({
      code: `${prelude}${code}\nresult.spoiled = spoiled();\nconsole.log(JSON.stringify(result));`,
      nodeArgs: ['--expose-gc'],
      args: [JSON.stringify([files, disk.fuseFile.replace(/disk\.img$/, 'control')])],
    });
    disk.reset();
    expect(child.status, child.describe()).to.equal(0);
    const result = child.json();
    expect(result.spoiled, 'buffers that a late completion wrote into').to.equal(0);
    return { result, files };
  }

  it('readFile with a signal: AbortError, nothing is written into memory given back', async () => {
    const { result } = await run(
      'abort-read-file',
      16,
      `const controller = new AbortController();
       const reads = files.map((file) => fs.promises.readFile(file, { signal: controller.signal }));
       const settled = Promise.allSettled(reads);
       while (inFlight() === 0) await sleep(1);
       result.inFlight = inFlight();
       controller.abort();
       await Promise.race([settled, sleep(100)]); // an abort may reject at once, or when the read is over
       dig();
       release();
       const outcomes = await settled;
       await untilIdle();
       // The promise may reject before the descriptor, which the read still needs, is closed.
       for (let i = 0; i < 1000 && files.some(holds); i++) await sleep(10);
       result.names = [...new Set(outcomes.map((outcome) => outcome.reason?.name ?? 'no error'))];
       result.held = files.filter(holds).length;`,
      512, // 2 MiB: node looks at the signal between chunks of 512 KiB, so a smaller file may still be read
    );
    expect(result.inFlight).to.be.above(0);
    expect(result.names).to.deep.equal(['AbortError']);
    expect(result.held, 'descriptors that were never closed').to.equal(0);
  });

  for (const direct of [false, true]) {
    it(`a ReadStream destroyed: 'close' comes after the read in flight (direct: ${direct})`, async () => {
      const { result } = await run(
        `destroy-${direct}`,
        8,
        `const closings = files.map((file) => {
           const stream = fs.createReadStream(file, { direct: ${direct}, highWaterMark: 4096 });
           stream.on('error', () => {});
           stream.read(0);
           return stream;
         });
         // Each has issued its read when it is open; the block layer may make one request of several.
         await Promise.all(closings.map((stream) => new Promise((resolve) => stream.once('open', resolve))));
         while (inFlight() === 0) await sleep(1);
         await sleep(20);
         result.inFlight = inFlight();
         const waits = closings.map((stream) => new Promise((resolve) => stream.once('close', resolve)));
         for (const stream of closings) stream.destroy();
         dig();
         await sleep(50);
         result.heldWhileInFlight = files.every(holds);
         release();
         await Promise.all(waits);
         await untilIdle();
         await sleep(20);
         result.held = files.filter(holds).length;`,
      );
      expect(result.inFlight).to.be.above(0);
      expect(result.heldWhileInFlight, 'a descriptor was closed under a read in flight').to.equal(true);
      expect(result.held, 'descriptors that were never closed').to.equal(0);
    });
  }

  it('a FileHandle closed with reads in flight: they finish first, into their own buffers', async () => {
    const { result } = await run(
      'close-handle',
      1,
      `const handle = await fs.open(files[0], { flags: 'r', direct: true });
       const around = Array.from({ length: 8 }, () => Buffer.alloc(3 * 4096, 0xa5));
       const order = [];
       const reads = around.map((buffer, i) =>
         handle.read(buffer, 4096, 4096, i * 8192).then((done) => { order.push('read'); return done.bytesRead; }));
       while (inFlight() === 0) await sleep(1);
       const closing = handle.close().then(() => order.push('close'));
       await sleep(50);
       result.early = [...order];
       release();
       await Promise.all([closing, ...reads]);
       result.order = order;
       result.bytes = await Promise.all(reads);
       result.tags = around.map((buffer) => buffer.readUInt32LE(4096));
       result.edges = around.filter((buffer) =>
         !buffer.subarray(0, 4096).every((byte) => byte === 0xa5) || !buffer.subarray(8192).every((byte) => byte === 0xa5)).length;`,
    );
    expect(result.early, 'settled while the disk still had all reads').to.deep.equal([]);
    expect(result.order.at(-1)).to.equal('close');
    expect(result.bytes).to.deep.equal(Array(8).fill(4096));
    expect(result.tags).to.deep.equal(Array(8).fill(0x5a5a5a5a));
    expect(result.edges, 'buffers written outside of the part asked for').to.equal(0);
  });

  it('writeFile with a signal: what is on disk is a prefix of the data', async () => {
    const { result, files } = await run(
      'abort-write-file',
      4,
      `const controller = new AbortController();
       const data = Buffer.alloc(4 << 20, 0x77);
       const writes = files.map((file) => fs.promises.writeFile(file, data, { signal: controller.signal }));
       setImmediate(() => controller.abort());
       const outcomes = await Promise.allSettled(writes);
       data.fill(0x11);
       dig();
       result.names = [...new Set(outcomes.map((outcome) => outcome.reason?.name ?? 'written'))];`,
    );
    expect(result.names.filter((name) => name !== 'AbortError' && name !== 'written')).to.deep.equal([]);
    for (const file of files) {
      const bytes = fs.readFileSync(file);
      expect(
        bytes.every((byte) => byte === 0x77),
        'bytes that were never given to writeFile',
      ).to.equal(true);
    }
  });

  it('writeFile with a signal: the data is the caller’s again when the promise rejects, not before', async () => {
    const { result, files } = await run(
      'abort-write-behind-read',
      2,
      `const controller = new AbortController();
       const data = files.map(() => Buffer.alloc(4 << 20, 0x77));
       const handles = await Promise.all(files.map((file) => fs.promises.open(file, 'r+')));
       // Both move the file position, so the write has to wait for the read.
       const reads = handles.map((handle) => handle.read(Buffer.alloc(4096), 0, 4096, null));
       while (inFlight() === 0) await sleep(1);
       const sources = [data[0], (function* () { yield data[1]; })()];
       const writes = sources.map((source, i) => handles[i].writeFile(source, { signal: controller.signal }));
       await sleep(50);
       controller.abort();
       const outcomes = writes.map((write, i) => write.catch(({ name }) => name).finally(() => data[i].fill(0x11)));
       await sleep(50);
       release();
       result.names = await Promise.all(outcomes);
       await Promise.all(reads);
       await Promise.all(handles.map((handle) => handle.close()));`,
    );
    expect(result.names).to.deep.equal(['AbortError', 'AbortError']);
    for (const file of files) {
      expect(fs.readFileSync(file).includes(0x11), 'bytes that came after the rejection').to.equal(false);
    }
  });
});
