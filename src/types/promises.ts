// What ioengine/fs/promises adds to the types of node:fs/promises.

import type * as nodeFs from 'node:fs';
import type * as nodePromises from 'node:fs/promises';
import type { OpenOptions } from '../descriptor/open';

export type { OpenOptions };

/** node's open, with `direct` in options: `open(path, { flags, mode, direct })`. */
export type OpenHandle = typeof nodePromises.open &
  ((
    path: nodeFs.PathLike,
    flags?: nodeFs.OpenMode | null | OpenOptions,
    mode?: nodeFs.Mode | null,
  ) => Promise<nodePromises.FileHandle>);
