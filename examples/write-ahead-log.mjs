// A write-ahead log: what append() has resolved for is there after a crash, in order; what it has not resolved for is
// there as a whole or not at all. Appends that come while the disk is busy share its next flush.
//
//   const log = await WriteAheadLog.open('orders.log', (payload) => state.apply(JSON.parse(payload)));
//   await log.append(JSON.stringify(order));       // durable from here on
//   await log.close();
//
// A record is its length, a checksum of its payload, and the payload.
import path from 'node:path';
import { crc32 } from 'node:zlib';
import { open } from 'ioengine/fs';

const HEADER_BYTES = 8;

export function encode(payload) {
  const bytes = Buffer.from(payload);
  const record = Buffer.alloc(HEADER_BYTES + bytes.length);
  record.writeUInt32LE(bytes.length, 0);
  record.writeUInt32LE(crc32(bytes), 4);
  bytes.copy(record, HEADER_BYTES);
  return record;
}

/** The payloads of a log's bytes up to the first that is not whole, and where that begins. */
export function decode(bytes) {
  const payloads = [];
  let end = 0;
  while (end + HEADER_BYTES <= bytes.length) {
    const next = end + HEADER_BYTES + bytes.readUInt32LE(end);
    const payload = bytes.subarray(end + HEADER_BYTES, next);
    if (next > bytes.length || crc32(payload) !== bytes.readUInt32LE(end + 4)) break;
    payloads.push(payload);
    end = next;
  }
  return { payloads, end };
}

/** The name of a new file is durable when its folder is. */
async function syncFolderOf(file) {
  const folder = await open(path.dirname(file), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

export class WriteAheadLog {
  #handle;
  #end;
  #waiting = [];
  #writing;
  #failure;

  constructor(handle, end) {
    this.#handle = handle;
    this.#end = end;
  }

  /** Opens or creates a log, and hands over what is in it. What a crash has left unfinished at its end is cut off. */
  static async open(file, replay) {
    const handle = await open(file, 'a+');
    try {
      const bytes = await handle.readFile();
      const { payloads, end } = decode(bytes);
      for (const payload of payloads) replay(payload);
      if (end < bytes.length) await handle.truncate(end);
      await handle.sync();
      await syncFolderOf(file);
      return new WriteAheadLog(handle, end);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** Resolves when the record is on the disk. After a failure nothing more is taken: see docs/durability.md. */
  append(payload) {
    if (this.#failure) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ record: encode(payload), resolve, reject });
      this.#writing ??= this.#writeAll();
    });
  }

  async close() {
    await this.#writing;
    await this.#handle.close();
  }

  get bytes() {
    return this.#end;
  }

  async #writeAll() {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0);
      try {
        if (this.#failure) throw this.#failure;
        const records = Buffer.concat(batch.map(({ record }) => record));
        await this.#handle.appendFile(records);
        await this.#handle.datasync();
        this.#end += records.length;
        for (const { resolve } of batch) resolve();
      } catch (error) {
        this.#failure = error;
        for (const { reject } of batch) reject(error);
      }
    }
    this.#writing = undefined;
  }
}
