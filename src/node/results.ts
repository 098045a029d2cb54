// The result objects of FileHandle operations: without prototype, as node makes them (node/fs.ts says why not
// with a literal).

import { SPREAD_IS_FAST } from './fs';

const READ = Object.setPrototypeOf({ bytesRead: 0, buffer: null }, null);
const WRITTEN = Object.setPrototypeOf({ bytesWritten: 0, buffer: null }, null);

function readBySpread(bytesRead: number, buffer: unknown): unknown {
  const result = { ...READ, __proto__: null };
  result.bytesRead = bytesRead;
  result.buffer = buffer;
  return result;
}

function writtenBySpread(bytesWritten: number, buffer: unknown): unknown {
  const result = { ...WRITTEN, __proto__: null };
  result.bytesWritten = bytesWritten;
  result.buffer = buffer;
  return result;
}

function readByAssignment(bytesRead: number, buffer: unknown): unknown {
  const result = Object.create(null);
  result.bytesRead = bytesRead;
  result.buffer = buffer;
  return result;
}

function writtenByAssignment(bytesWritten: number, buffer: unknown): unknown {
  const result = Object.create(null);
  result.bytesWritten = bytesWritten;
  result.buffer = buffer;
  return result;
}

/** `{ bytesRead, buffer }` */
export const readResult = SPREAD_IS_FAST ? readBySpread : readByAssignment;
/** `{ bytesWritten, buffer }` */
export const writtenResult = SPREAD_IS_FAST ? writtenBySpread : writtenByAssignment;

/** `{ bytesRead, buffers }` of readv; not on the hot path. */
export function readvResult(bytesRead: number, buffers: unknown): unknown {
  return Object.assign(Object.create(null), { bytesRead, buffers });
}

/** `{ bytesWritten, buffers }` of writev. */
export function writevResult(bytesWritten: number, buffers: unknown): unknown {
  return Object.assign(Object.create(null), { bytesWritten, buffers });
}
