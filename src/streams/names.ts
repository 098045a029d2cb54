// Names that the stream files share: of node:fs, and symbols that find what of ours belongs to a stream.

/** Class names of node:fs. The File... ones are older names that can be patched on their own (graceful-fs does). */
export const CLASS_NAMES = ['ReadStream', 'WriteStream', 'FileReadStream', 'FileWriteStream'] as const;

/** The functions that a stream calls on the live module, so that patches of them are seen. */
export const STREAM_CALLS = ['open', 'close', 'read', 'write', 'writev', 'fsync'] as const;

/** A module's properties by name. */
export type Functions = Record<string, unknown>;

/** Finds a stream's operations. Not enumerable: it shows in no listing of a stream. */
export const kOperations: unique symbol = Symbol('operations');

/** Finds the FileHandle that a stream reads. */
export const kHandle: unique symbol = Symbol('handle');
