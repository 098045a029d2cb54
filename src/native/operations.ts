// Written by scripts/generate-operations.mjs from csrc/backend/operations.def: change that.

/** The engine's operations. */
export const OPERATION_NAMES = [
  'read',
  'write',
  'fsync',
  'fdatasync',
  'open',
  'close',
  'stat',
  'access',
  'readFile',
  'writeFile',
  'readDirectory',
  'readTree',
  'copyTree',
  'copyFile',
  'removeTree',
  'changePath',
  'readLink',
  'statFilesystem',
  'openDirectory',
  'readEntries',
  'statx',
  'ftruncate',
  'setAttributes',
] as const;

export type OperationName = (typeof OPERATION_NAMES)[number];
