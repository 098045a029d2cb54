// Which filesystem a path is on, from /proc/self/mountinfo, and of which kind that is by the way it behaves.

import { realpathSync, type Stats, statfsSync, statSync } from 'node:fs';
import { textOf } from './doctor-system';

import type Engine = require('../index');

type Filesystems = Engine.Backend['filesystems'];

const MEANS: Record<Engine.FilesystemKind, string> = {
  local: 'a disk of this machine',
  memory: 'no device behind it, so no call waits for one',
  stacked: 'layers of other filesystems: its files wait as those below do',
  remote: 'another machine or process answers, or its type is not known: any call may wait for long',
  special: 'the kernel makes its files up',
};

export interface Mount {
  point: string;
  type: string;
  source: string;
  options: string;
}

// proc_pid_mountinfo(5): blanks, tabs, newlines and backslashes are written in octal.
const unescaped = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

function mounts(text: string): Mount[] {
  return text.split('\n').flatMap((line) => {
    const [before = '', behind = ''] = line.split(' - ');
    const [, , , , point, options] = before.split(' ');
    const [type, source] = behind.split(' ');
    if (point === undefined || options === undefined || type === undefined || source === undefined) return [];
    return [{ point: unescaped(point), type, source: unescaped(source), options }];
  });
}

const isBelow = (path: string, point: string): boolean =>
  point === '/' || path === point || path.startsWith(`${point}/`);

/** The mount that a path without links is on: the longest one, and of those on one point the last. */
function mountOf(path: string, mountinfo: string): Mount | undefined {
  let best: Mount | undefined;
  for (const mount of mounts(mountinfo)) {
    if (isBelow(path, mount.point) && mount.point.length >= (best?.point.length ?? 0)) best = mount;
  }
  return best;
}

function typeOf(stats: Stats): string {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  if (stats.isBlockDevice()) return 'block device';
  if (stats.isCharacterDevice()) return 'character device';
  return stats.isFIFO() ? 'pipe' : 'socket';
}

export interface Place {
  path: string;
  realPath: string;
  type: string;
  mount?: Mount;
  /** f_type of statfs(2). */
  magic: string;
  /** Missing where a program would not start: nothing says what is what. */
  kind?: Engine.FilesystemKind;
  kindMeans?: string;
  freeBytes: number;
}

/** Throws node's error where there is no such path. */
export function placeOf(path: string): Place {
  const realPath = realpathSync(path);
  const stats = statSync(realPath);
  const { type, bavail, bsize } = statfsSync(realPath);
  const mount = mountOf(realPath, textOf('/proc/self/mountinfo') ?? '');
  return {
    path,
    realPath,
    type: typeOf(stats),
    mount,
    magic: `0x${(type >>> 0).toString(16)}`,
    freeBytes: bavail * bsize,
  };
}

/** Types that no row names are remote. */
export function kindOf({ type, mount }: Place, filesystems: Filesystems): Required<Pick<Place, 'kind' | 'kindMeans'>> {
  const isOrdinary = type === 'file' || type === 'directory' || type === 'block device';
  const named = Object.entries(filesystems).find(([, { types }]) => types.includes(mount?.type ?? ''));
  const kind = isOrdinary ? ((named?.[0] ?? 'remote') as Engine.FilesystemKind) : 'special';
  return { kind, kindMeans: MEANS[kind] };
}
