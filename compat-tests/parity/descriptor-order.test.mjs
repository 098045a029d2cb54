// Calls on one open file in one tick, the first not awaited: what is asked behind a write finds what it has written.
// Node's pool mostly starts them in that order; here they do so always.
import { promisify } from 'node:util';
import { expect } from 'chai';
import { ours, oursP } from '../helpers/oracle.mjs';
import { removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';

const TIMES = 60;
const BYTES = 4096;

const withCallback = (name, ...args) => promisify(ours[name])(...args);

/** By name: the first call, and what the second brings, for a handle and the byte that is written. */
const PAIRS = {
  'write, then a read of it': async (handle, byte) => {
    const target = Buffer.alloc(BYTES);
    await Promise.all([handle.write(Buffer.alloc(BYTES, byte), 0, BYTES, 0), handle.read(target, 0, BYTES, 0)]);
    return target.every((value) => value === byte);
  },
  'write, then a read of it, with callbacks': async ({ fd }, byte) => {
    const target = Buffer.alloc(BYTES);
    await Promise.all([
      withCallback('write', fd, Buffer.alloc(BYTES, byte), 0, BYTES, 0),
      withCallback('read', fd, target, 0, BYTES, 0),
    ]);
    return target.every((value) => value === byte);
  },
  'write, then a read that overlaps it': async (handle, byte) => {
    const target = Buffer.alloc(2);
    await Promise.all([handle.write(Buffer.alloc(BYTES, byte), 0, BYTES, 0), handle.read(target, 0, 2, BYTES - 1)]);
    return target[0] === byte;
  },
  'writev, then readv': async (handle, byte) => {
    const target = Buffer.alloc(BYTES);
    await Promise.all([handle.writev([Buffer.alloc(BYTES, byte)], 0), handle.readv([target], 0)]);
    return target.every((value) => value === byte);
  },
  'write, then another over it': async (handle, byte) => {
    await Promise.all([
      handle.write(Buffer.alloc(BYTES, 255), 0, BYTES, 0),
      handle.write(Buffer.alloc(BYTES, byte), 0, BYTES, 0),
    ]);
    const { buffer } = await handle.read(Buffer.alloc(BYTES), 0, BYTES, 0);
    return buffer.every((value) => value === byte);
  },
  'write behind the end, then stat': async (handle) => {
    const { size } = await handle.stat();
    const [, after] = await Promise.all([handle.write('x', size), handle.stat()]);
    return after.size === size + 1;
  },
  'write behind the end, then fstat': async (handle) => {
    const { size } = await handle.stat();
    const [, after] = await Promise.all([handle.write('x', size), withCallback('fstat', handle.fd)]);
    return after.size === size + 1;
  },
  'truncate, then read': async (handle, byte) => {
    await handle.write(Buffer.alloc(BYTES, byte), 0, BYTES, 0);
    const [, { bytesRead }] = await Promise.all([handle.truncate(10), handle.read(Buffer.alloc(BYTES), 0, BYTES, 0)]);
    return bytesRead === 10;
  },
};

describe('parity: order of calls on one open file', () => {
  let dir;
  beforeEach(() => {
    dir = temporaryDirectory();
  });
  afterEach(() => removeDirectory(dir));

  for (const [name, pair] of Object.entries(PAIRS)) {
    it(name, async () => {
      const handle = await oursP.open(`${dir}/f`, 'w+');
      await handle.write(Buffer.alloc(2 * BYTES), 0, 2 * BYTES, 0);
      for (let i = 0; i < 20; i++) await handle.read(Buffer.alloc(BYTES), 0, BYTES, 0); // known to be cached
      let late = 0;
      for (let i = 1; i <= TIMES; i++) {
        if (!(await pair(handle, i))) late++;
        await new Promise((resolve) => setImmediate(resolve));
      }
      await handle.close();
      expect(late).to.equal(0);
    });
  }
});
