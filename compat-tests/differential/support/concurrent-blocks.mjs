// A file of blocks that are written, read and streamed by many at once, and what each of them may see.
import fs from 'node:fs';
import { ours, oursP } from '../../helpers/oracle.mjs';
import { randomFrom } from '../../helpers/random.mjs';
import { SECTOR_BYTES, sector, sectors, versionOf } from '../../helpers/sectors.mjs';

const BLOCKS = 96;
const BLOCK_BYTES = 4096;
const PER_BLOCK = BLOCK_BYTES / SECTOR_BYTES;
const LANES = 48;
const HANDLES = 3;

const blockBytes = (block, version) => sectors('b', block * PER_BLOCK, PER_BLOCK, version);

/** The kernel copies without a lock: a read beside a write may get a part of each. */
function isMixture(bytes, index, from, to) {
  if (from === to) return false;
  const versions = Array.from({ length: to - from + 1 }, (_, i) => sector('b', index, from + i));
  return bytes.every((byte, at) => versions.some((wanted) => wanted[at] === byte));
}

export class ConcurrentBlocks {
  faults = [];
  done = 0;
  /** The version that each block has, unless somebody writes it. */
  #written = new Array(BLOCKS).fill(0);
  #issued = new Array(BLOCKS).fill(0);
  #writing = new Array(BLOCKS).fill(false);
  #random;

  /** `direct`: whether the handles have O_DIRECT where there is one; 'mixed': every other. */
  constructor(file, { seed, direct }) {
    this.file = file;
    this.direct = direct;
    this.#random = randomFrom(seed);
  }

  async run(operations) {
    fs.writeFileSync(this.file, Buffer.concat(this.#written.map((version, block) => blockBytes(block, version))));
    this.handles = await Promise.all(
      Array.from({ length: HANDLES }, (_, i) => {
        const direct = this.direct === 'mixed' ? i % 2 === 0 && 'try' : this.direct;
        return oursP.open(this.file, { flags: 'r+', direct });
      }),
    );
    let left = operations;
    const lane = async () => {
      while (left-- > 0) {
        await this.#step();
        this.done += 1;
      }
    };
    try {
      await Promise.all(Array.from({ length: LANES }, lane));
    } finally {
      await Promise.all(this.handles.map((handle) => handle.close()));
    }
    this.#check('at the end', fs.readFileSync(this.file), 0, this.#written, this.#written);
  }

  #step() {
    const handle = this.handles[this.#random(HANDLES)];
    const first = this.#random(BLOCKS - 8);
    const count = 1 + this.#random(this.#random(4) === 0 ? 8 : 2);
    const choice = this.#random(20);
    if (choice < 8) return this.#write(handle, first, count, choice % 3);
    if (choice === 8) return handle.datasync();
    if (choice === 9) return this.#stream(first, count);
    return this.#read(handle, first, count, choice % 3);
  }

  async #write(handle, first, count, form) {
    // One writer for a block at a time: of two at once nobody could say which was last.
    let free = 0;
    while (free < count && !this.#writing[first + free]) free += 1;
    if (free === 0) return this.#read(handle, first, count, 0);
    const parts = [];
    for (let block = first; block < first + free; block++) {
      this.#writing[block] = true;
      this.#issued[block] += 1;
      parts.push(blockBytes(block, this.#issued[block]));
    }
    const data = Buffer.concat(parts);
    const at = first * BLOCK_BYTES;
    const written =
      form === 0
        ? (await handle.writev(parts, at)).bytesWritten
        : form === 1
          ? (await handle.write(data, 0, data.length, at)).bytesWritten
          : await new Promise((resolve, reject) => {
              ours.write(handle.fd, data, 0, data.length, at, (e, bytes) => (e ? reject(e) : resolve(bytes)));
            });
    if (written !== data.length) this.faults.push(`${written} of ${data.length} bytes written`);
    for (let block = first; block < first + free; block++) {
      this.#written[block] = this.#issued[block];
      this.#writing[block] = false;
    }
  }

  /** What the blocks have when a read begins: a check that knows it is run when the read has ended. */
  #begin(first, count) {
    const least = this.#written.slice();
    return (what, bytes) => {
      if (bytes.length !== count * BLOCK_BYTES) this.faults.push(`${what}: ${bytes.length} bytes of block ${first}`);
      this.#check(what, bytes, first, least, this.#issued);
    };
  }

  async #read(handle, first, count, form) {
    const check = this.#begin(first, count);
    const at = first * BLOCK_BYTES;
    if (form === 0) {
      const views = Array.from({ length: count }, () => Buffer.alloc(BLOCK_BYTES));
      const { bytesRead } = await handle.readv(views, at);
      check('readv', Buffer.concat(views).subarray(0, bytesRead));
      return;
    }
    const buffer = Buffer.alloc(count * BLOCK_BYTES);
    const bytesRead =
      form === 1
        ? (await handle.read(buffer, 0, buffer.length, at)).bytesRead
        : await new Promise((resolve, reject) => {
            ours.read(handle.fd, buffer, 0, buffer.length, at, (error, bytes) =>
              error ? reject(error) : resolve(bytes),
            );
          });
    check('read', buffer.subarray(0, bytesRead));
  }

  async #stream(first, count) {
    const check = this.#begin(first, count);
    const start = first * BLOCK_BYTES;
    const parts = [];
    const options = { start, end: start + count * BLOCK_BYTES - 1, highWaterMark: 4096, direct: this.direct && 'try' };
    for await (const part of ours.createReadStream(this.file, options)) parts.push(part);
    check('stream', Buffer.concat(parts));
  }

  /** A block nobody has written meanwhile is whole; of another, each byte is one of a version in between. */
  #check(what, bytes, first, least, most) {
    for (let at = 0; at + SECTOR_BYTES <= bytes.length; at += SECTOR_BYTES) {
      const block = first + Math.floor(at / BLOCK_BYTES);
      const index = first * PER_BLOCK + at / SECTOR_BYTES;
      const sectorBytes = bytes.subarray(at, at + SECTOR_BYTES);
      const version = versionOf(sectorBytes, 'b', index);
      const [from, to] = [least[block], most[block]];
      const isRight =
        version === undefined ? isMixture(sectorBytes, index, from, to) : version >= from && version <= to;
      if (isRight) continue;
      const head = bytes.toString('latin1', at, at + 24).split('\n')[0];
      this.faults.push(`${what}: sector ${index} is "${head}", versions ${from} to ${to} are possible`);
    }
  }
}
