// readFile once the file is open: of a path, where all of it was not had by one call, and of a descriptor of the
// program's. The reading itself: descriptor/read-file-job.ts.

import type { Stats } from 'node:fs';
import { closingAfter } from '../descriptor/fallback-handle';
import type { OpenArguments } from '../descriptor/open';
import { type Content, type Decode, decodeAtOnce, decodeInPieces, ReadFileJob } from '../descriptor/read-file-job';
import { CURRENT, shownPath } from '../engine/arguments';
import { countedFallback, FallbackSignal, viaCallback } from '../engine/fallback';
import type { FileOptions } from '../engine/file-options';
import { FLAG_TRUSTED } from '../native/addon';
import { nodeFs, READ_ERRORS_NAME_PATH } from '../node/fs';
import { nodePromises } from '../node/promises';

/** A readFile of a path, whose file is open. */
class ReadPathJob extends ReadFileJob {
  constructor(
    fd: number,
    private readonly open: OpenArguments,
    options: FileOptions,
    /** The options as the program gave them. */
    private readonly value: unknown,
    decode: Decode,
  ) {
    super(options, decode, fd, 0, FLAG_TRUSTED);
  }

  readAndClose(): Promise<Content> {
    const { fd } = this;
    const naming = (error: NodeJS.ErrnoException): Promise<never> => withPath(error, fd, shownPath(this.open.path));
    return closingAfter(
      fd,
      () => this.readOpenFile().catch(naming),
      (handle) => countedFallback(nodePromises.readFile(handle, this.value as never)).catch(naming),
    );
  }
}

let namesPath: boolean | undefined;

/** Whether a failed read of readFile(path) names the path in its error: since Node 26. Reading a directory shows it. */
async function readErrorsNamePath(): Promise<boolean> {
  if (namesPath !== undefined) return namesPath;
  await nodePromises.readFile('/').catch((error: NodeJS.ErrnoException) => {
    // Anything else, as a lack of descriptors, says nothing of later times.
    if (error.code === 'EISDIR') namesPath = 'path' in error;
  });
  return namesPath ?? READ_ERRORS_NAME_PATH;
}

/** Node opens, reads and closes a file of up to so many bytes in one go. Larger ones are read as from a descriptor. */
const ONE_GO_BYTES_MAX = 512 * 1024;

/** Rejects with the error as this version of Node has it. `fd` is still open. */
async function withPath(error: NodeJS.ErrnoException, fd: number, path: string): Promise<never> {
  if (error.syscall === 'read' && error.path === undefined && (await readErrorsNamePath())) {
    const { size } = await viaCallback<Stats>((done) => nodeFs.fstat(fd, done));
    if (size <= ONE_GO_BYTES_MAX) {
      const { message, stack } = error;
      error.message = `${message} '${path}'`;
      error.stack = stack?.replace(message, () => error.message);
      error.path = path;
    }
  }
  throw error;
}

/** A readFile of a descriptor of the program's, from the file position on. */
class ReadDescriptorJob extends ReadFileJob {
  constructor(fd: number, options: FileOptions) {
    super(options, decodeAtOnce, fd, CURRENT, 0);
  }

  /** Node 20 loses the error of a read here and calls back with nothing: so node answers, whatever its version. */
  async readOrStartOver(): Promise<Content> {
    try {
      return await this.readOpenFile();
    } catch (error) {
      throw this.done === 0 && !this.options.signal?.aborted ? FallbackSignal : error;
    }
  }
}

/** `value`: the options as the program gave them. Closes the descriptor. */
type ReadOpenPath = (fd: number, open: OpenArguments, options: FileOptions, value: unknown) => Promise<Content>;

export const readInPieces: ReadOpenPath = (fd, open, options, value) =>
  new ReadPathJob(fd, open, options, value, decodeInPieces).readAndClose();

export const readAtOnce: ReadOpenPath = (fd, open, options, value) =>
  new ReadPathJob(fd, open, options, value, decodeAtOnce).readAndClose();

export const readDescriptor = (fd: number, options: FileOptions): Promise<Content> =>
  new ReadDescriptorJob(fd, options).readOrStartOver();
