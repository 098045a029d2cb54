// What ioengine/fs adds to the types of node:fs. Everything is derived from the types of the @types/node that the
// program has, so that it fits whatever Node version that describes.

import type * as nodeFs from 'node:fs';
import type * as nodePromises from 'node:fs/promises';
import type { Direct, OpenOptions } from '../descriptor/open';

export type { OpenOptions };

type Second<F extends (...args: never) => unknown> = Exclude<Parameters<F>[1], string | null | undefined>;

/** What `createReadStream` and `createWriteStream` take besides node's options. */
export interface DirectOption {
  /**
   * O_DIRECT, see open(2): `true` or an error (`'error'` event with `ERR_IOENGINE_DIRECT_UNSUPPORTED`), `'try'` where
   * the filesystem takes it. Any offset, length and buffer works. Default: false, or `'try'` with IOENGINE_DIRECT=1.
   */
  direct?: Direct | undefined;
}

type OpenAsPromise = (
  path: nodeFs.PathLike,
  flags?: nodeFs.OpenMode | null | OpenOptions,
  mode?: nodeFs.Mode | null,
) => Promise<nodePromises.FileHandle>;

/** node's open, and without a callback a promise of a FileHandle. */
export type Open = typeof nodeFs.open & OpenAsPromise;

/** node's options, and `direct`. */
export type ReadStreamOptions = Second<typeof nodeFs.createReadStream> & DirectOption;
/** What `createWriteStream` takes besides. */
export interface WriteBehindOption {
  /**
   * So many bytes at most (and never more than 64 MiB) may be acknowledged before the kernel has them: `'drain'` comes
   * and `writableLength` falls as soon as a chunk is in memory. A process that exits, by itself or through an
   * exception, still writes them; one that is killed or aborts loses them. Callbacks of `write()`, `bytesWritten`,
   * `'finish'` and `'close'` still mean that the kernel has the bytes. For streams that open their own file. Default:
   * none, nothing is acknowledged early.
   */
  writeBehind?: number | undefined;
}

/** node's options, `direct` and `writeBehind`. */
export type WriteStreamOptions = Second<typeof nodeFs.createWriteStream> & DirectOption & WriteBehindOption;

/** node's createReadStream, whose options may have `direct`. */
export type CreateReadStream = (
  path: nodeFs.PathLike,
  options?: BufferEncoding | ReadStreamOptions,
) => nodeFs.ReadStream;

/** node's createWriteStream, whose options may have `direct` and `writeBehind`. */
export type CreateWriteStream = (
  path: nodeFs.PathLike,
  options?: BufferEncoding | WriteStreamOptions,
) => nodeFs.WriteStream;

/** A name that only newer versions of node:fs have: as the program's @types/node has it, else undefined. */
export type Newer<Module, Name extends string> = Module extends Record<Name, infer Type> ? Type : undefined;
