// File systems that are made for a case, as the tests make theirs: on images in the temp folder, for root only.
import { withFilesystem } from '../../compat-tests/helpers/filesystems.mjs';

// Sparse: room for a file of each runtime.
const MIB = 3072;

/**
 * @param {('tmpfs' | 'overlayfs' | 'xfs')[]} kinds
 * @returns {Promise<{ mounted: import('./places.mjs').Place[], absent: string[] }>} `absent`: what is not here, and why
 */
export async function mounts(kinds) {
  const made = await Promise.all(
    kinds.map(async (kind) => ({ kind, ...(await withFilesystem(kind, { sizeMiB: MIB })) })),
  );
  return {
    mounted: made.flatMap(({ kind, dir }) => (dir ? [{ name: kind, folder: dir, kind }] : [])),
    absent: made.flatMap(({ kind, skipped }) => (skipped ? [`not measured, ${kind}: ${skipped}`] : [])),
  };
}
