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
  'removeTree',
  'changePath',
  'readLink',
  'statx',
  'ftruncate',
] as const;

export type OperationName = (typeof OPERATION_NAMES)[number];
