// Kinds of filesystem by the way they behave, and who serves what on each.

import type { BackendName } from '../native/addon';

/**
 * `local`: a disk of this machine. `memory`: no device behind it. `stacked`: layers of other filesystems. `remote`:
 * another machine or process answers, or the type is not known, so that any call may wait for long. `special`: the
 * kernel makes its files up.
 */
export type FilesystemKind = 'local' | 'memory' | 'stacked' | 'remote' | 'special';

/** In the order of FilesystemKind of csrc/jobs/filesystem_kind.h. */
export const KINDS: readonly FilesystemKind[] = ['local', 'memory', 'stacked', 'remote', 'special'];

/** As /proc/self/mountinfo names them; csrc/jobs/filesystem_kind.cc has the same. Every other type is remote. */
const TYPES: Record<Exclude<FilesystemKind, 'remote'>, readonly string[]> = {
  local: ['ext2', 'ext3', 'ext4', 'xfs', 'btrfs', 'f2fs', 'squashfs', 'erofs', 'vfat', 'exfat', 'iso9660'],
  memory: ['tmpfs', 'devtmpfs', 'ramfs'],
  stacked: ['overlay'],
  special: [
    ...['proc', 'sysfs', 'cgroup', 'cgroup2', 'devpts', 'mqueue', 'debugfs', 'tracefs', 'securityfs', 'selinuxfs'],
    ...['configfs', 'bpf', 'pstore', 'efivarfs', 'hugetlbfs', 'binfmt_misc', 'fusectl', 'rpc_pipefs', 'nsfs'],
    ...['resctrl', 'bdev', 'pipefs', 'sockfs'],
  ],
};

/** Who serves what on filesystems of one kind. */
export interface FilesystemRow {
  /** Types as /proc/self/mountinfo names them; empty for `remote`, which is every other one. */
  types: string[];
  /** Lanes of open regular files, see `Stats.lanes`. */
  files: string[];
  /** Lanes of calls on paths. */
  paths: string[];
}

/** On this backend; `node` is no engine. */
export function filesystemRows(backend: BackendName | 'node'): Record<FilesystemKind, FilesystemRow> {
  const all = backend === 'node' ? ['delegated'] : [...new Set(['inline', backend, 'threads'])];
  const pool = backend === 'node' ? ['delegated'] : ['threads'];
  const paths = backend === 'node' ? ['delegated'] : ['inline', 'threads'];
  const row = (types: readonly string[], files: string[], lanes: string[]): FilesystemRow => ({
    types: [...types],
    files: [...files],
    paths: [...lanes],
  });
  return {
    local: row(TYPES.local, all, paths),
    memory: row(TYPES.memory, all, paths),
    stacked: row(TYPES.stacked, all, paths),
    remote: row([], pool, pool),
    special: row(TYPES.special, ['delegated'], pool),
  };
}
