// What ioengine/fs adds to the types of node:fs. Everything is derived from the types of the @types/node that the
// program has, so that it fits whatever Node version that describes.

import type * as host from 'node:fs';
import type * as hostPromises from 'node:fs/promises';
import type { Direct, OpenOptions } from '../files/open';

export type { OpenOptions };

type Second<F extends (...args: never) => unknown> = Exclude<Parameters<F>[1], string | null | undefined>;

export interface DirectOption {
  /**
   * O_DIRECT: `true` or an error, `'try'` where the filesystem takes it. Any offset, length and buffer works.
   * Default: false, or `'try'` with IOENGINE_DIRECT=1.
   */
  direct?: Direct | undefined;
}

type OpenAsPromise = (
  path: host.PathLike,
  flags?: host.OpenMode | null | OpenOptions,
  mode?: host.Mode | null,
) => Promise<hostPromises.FileHandle>;

/** node's open, and without a callback a promise of a FileHandle. */
export type Open = typeof host.open & OpenAsPromise;

export type ReadStreamOptions = Second<typeof host.createReadStream> & DirectOption;
export type WriteStreamOptions = Second<typeof host.createWriteStream> & DirectOption;

export type CreateReadStream = (path: host.PathLike, options?: BufferEncoding | ReadStreamOptions) => host.ReadStream;

export type CreateWriteStream = (
  path: host.PathLike,
  options?: BufferEncoding | WriteStreamOptions,
) => host.WriteStream;

/** A name that only newer versions of node:fs have: as the program's @types/node has it, else undefined. */
export type Newer<Module, Name extends string> = Module extends Record<Name, infer Type> ? Type : undefined;
