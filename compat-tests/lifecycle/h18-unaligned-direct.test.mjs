// H18: O_DIRECT wants aligned offsets, lengths and memory; a short read retried at an unaligned offset is EINVAL; reads
// past the end; tails. Rule: any offset, length and buffer works, and a file keeps its exact byte length.
// Red when a request is passed on unaligned (EINVAL), when a tail is rounded up (length, bytes behind the end), or
// when an unaligned write is done as a whole block (neighbouring bytes lost).
import nodeFs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { alignedBuffer } from 'ioengine';
import fs from 'ioengine/fs';
import { skip } from '../helpers/backend.mjs';
import { filesystemKinds, withFilesystem } from '../helpers/filesystems.mjs';
import { patternBytes } from '../helpers/tempdir.mjs';

const SIZE = 5000;
const content = patternBytes(SIZE, 18);
const OFFSETS = [0, 1, 511, 512, 4095, 4096, 4097, 4999, 5000, 5001, 8192];
const LENGTHS = [1, 511, 512, 904, 4096, 4097, 8192, 20_000];
const SHIFTS = [0, 1, 8, 512];

describe('H18: O_DIRECT with any offset, length and buffer', () => {
  for (const kind of filesystemKinds) {
    describe(kind, () => {
      // tmpfs may refuse O_DIRECT: there the answer is `direct: 'try'`.
      const direct = kind === 'tmpfs' ? 'try' : true;
      let dir;

      before(async function () {
        const filesystem = await withFilesystem(kind);
        if (filesystem.skipped) skip(this, filesystem.skipped);
        dir = filesystem.dir;
      });

      function fileOf(name, bytes = content) {
        const file = path.join(dir, name);
        nodeFs.writeFileSync(file, bytes);
        return file;
      }

      it('reads: 5,000 bytes file, 8 KiB read gives 5,000; the tail at 4,096 gives 904', async () => {
        const handle = await fs.open(fileOf('a'), { flags: 'r', direct });
        for (const make of [alignedBuffer, Buffer.alloc]) {
          expect((await handle.read(make(8192), 0, 8192, 0)).bytesRead).to.equal(5000);
          expect((await handle.read(make(8192), 0, 8192, 4096)).bytesRead).to.equal(904);
          expect((await handle.read(make(8192), 0, 4096, 8192)).bytesRead).to.equal(0);
        }
        await handle.close();
      });

      it('reads: the matrix of offsets, lengths and memory', async () => {
        const handle = await fs.open(fileOf('b'), { flags: 'r', direct });
        for (const offset of OFFSETS) {
          for (const length of LENGTHS) {
            for (const shift of SHIFTS) {
              const memory = alignedBuffer(32_768).fill(0xa5);
              const { bytesRead } = await handle.read(memory, shift, length, offset);
              const wanted = content.subarray(Math.min(offset, SIZE), Math.min(offset + length, SIZE));
              const what = `offset ${offset}, length ${length}, memory shifted by ${shift}`;
              expect(bytesRead, what).to.equal(wanted.length);
              expect(memory.subarray(shift, shift + bytesRead).equals(wanted), `bytes at ${what}`).to.equal(true);
              expect(
                memory.subarray(shift + length).every((byte) => byte === 0xa5),
                `behind ${what}`,
              ).to.equal(true);
              expect(
                memory.subarray(0, shift).every((byte) => byte === 0xa5),
                `before ${what}`,
              ).to.equal(true);
            }
          }
        }
        await handle.close();
      });

      it('reads at the current position walk through the file in odd steps', async () => {
        const handle = await fs.open(fileOf('c'), { flags: 'r', direct });
        const parts = [];
        for (const step of [1, 100, 4000, 95, 1, 2000, 10]) {
          const buffer = Buffer.alloc(step);
          const { bytesRead } = await handle.read(buffer, 0, step, null);
          parts.push(buffer.subarray(0, bytesRead));
        }
        await handle.close();
        expect(Buffer.concat(parts).equals(content)).to.equal(true);
      });

      it('writes: the matrix keeps every other byte and the exact length', async () => {
        const file = fileOf('d');
        const shadow = { bytes: Buffer.from(content) };
        const handle = await fs.open(file, { flags: 'r+', direct });
        let seed = 1;
        for (const offset of OFFSETS) {
          for (const length of LENGTHS) {
            for (const shift of [0, 1]) {
              const source = alignedBuffer(32_768);
              patternBytes(length, seed++).copy(source, shift);
              const { bytesWritten } = await handle.write(source, shift, length, offset);
              const what = `offset ${offset}, length ${length}, memory shifted by ${shift}`;
              expect(bytesWritten, what).to.equal(length);
              const grown = Buffer.alloc(Math.max(shadow.bytes.length, offset + length));
              shadow.bytes.copy(grown);
              source.copy(grown, offset, shift, shift + length);
              shadow.bytes = grown;
              const found = nodeFs.readFileSync(file);
              expect(found.length, `file length after ${what}`).to.equal(grown.length);
              expect(found.equals(grown), `file after ${what}`).to.equal(true);
            }
          }
        }
        await handle.close();
      });

      it('vectored, appending and current-position writes', async () => {
        const file = fileOf('e');
        let handle = await fs.open(file, { flags: 'a', direct });
        const appended = [patternBytes(1, 2), patternBytes(4096, 3), patternBytes(777, 4)];
        for (const part of appended) await handle.write(part);
        await handle.close();
        const whole = Buffer.concat([content, ...appended]);
        expect(nodeFs.readFileSync(file).equals(whole), 'appended').to.equal(true);

        handle = await fs.open(file, { flags: 'r+', direct });
        const parts = [patternBytes(10, 5), patternBytes(4096, 6), patternBytes(1, 7)];
        expect((await handle.writev(parts, 3)).bytesWritten).to.equal(4107);
        Buffer.concat(parts).copy(whole, 3);
        await handle.write(patternBytes(5, 8), 0, 5, null);
        await handle.write(patternBytes(4096, 9), 0, 4096, null);
        patternBytes(5, 8).copy(whole, 0);
        patternBytes(4096, 9).copy(whole, 5);
        await handle.close();
        expect(nodeFs.readFileSync(file).equals(whole), 'vectored').to.equal(true);
      });

      it('concurrent unaligned writes into one block lose nothing', async () => {
        const file = fileOf('f', Buffer.alloc(8192));
        const handle = await fs.open(file, { flags: 'r+', direct });
        for (let round = 1; round <= 10; round++) {
          const wanted = Buffer.alloc(8192, round);
          await Promise.all(Array.from({ length: 64 }, (_, i) => handle.write(wanted, 0, 128, i * 128)));
          expect(nodeFs.readFileSync(file).equals(wanted), `round ${round}`).to.equal(true);
        }
        await handle.close();
      });
    });
  }

  it('a buffered reader sees a direct write at once, and a direct reader a buffered one', async function () {
    const ext4 = await withFilesystem('ext4');
    if (ext4.skipped) skip(this, ext4.skipped);
    const file = path.join(ext4.dir, 'both');
    nodeFs.writeFileSync(file, content);
    const [direct, buffered] = [await fs.open(file, { flags: 'r+', direct: true }), await fs.open(file, 'r+')];
    for (let round = 0; round < 50; round++) {
      const offset = (round * 97) % 4800;
      const data = patternBytes(200, round + 1);
      const [writer, reader] = round % 2 === 0 ? [direct, buffered] : [buffered, direct];
      await writer.write(data, 0, 200, offset);
      const seen = Buffer.alloc(200);
      await reader.read(seen, 0, 200, offset);
      expect(seen.equals(data), `round ${round}`).to.equal(true);
    }
    await Promise.all([direct.close(), buffered.close()]);
  });
});
