// A filesystem on a disk as slow, broken or lying as a test wants it:
// slowdisk.c (FUSE) -> disk.img -> loop device with direct I/O -> ext4 or xfs.
//
//   const disk = await sharedSlowDisk();            // or openSlowDisk({ filesystem: 'xfs', sizeMiB: 512 })
//   if (disk.skipped) return skip(this, disk.skipped);
//   disk.setDelayMs(300);                           // O_DIRECT I/O under disk.mountPoint now takes 300 ms
//
// The delay is per request and requests wait side by side, so N reads at once take as long as one.
import fs from 'node:fs';
import path from 'node:path';
import { hasProgram, quote, Resource, run } from '../fixtures/resource.mjs';
import { buildFuseProgram, fuseObstacle, startFuseServer } from './fuse-program.mjs';

/** Why there can be no slow disk here, or undefined. */
export function slowDiskObstacle() {
  if (!fs.existsSync('/dev/loop-control')) return 'there is no /dev/loop-control';
  return fuseObstacle('losetup', 'mkfs.ext4', 'filefrag');
}

const buildSlowDisk = () => buildFuseProgram('slowdisk', ['slowdisk_numbers.h', 'slowdisk_queue.h']);

function startServer(resource, program, sizeBytes, backing) {
  const options = backing === undefined ? [] : ['--backing', backing];
  const args = ['--size-bytes', String(sizeBytes), ...options];
  return startFuseServer(resource, program, args, resource.path('fuse'));
}

/** Makes the filesystem and returns the mount options to try, best first. */
function makeFilesystem(kind, device, journal) {
  if (kind === 'xfs') {
    run('mkfs.xfs', ['-q', '-f', device]);
    return ['defaults'];
  }
  if (journal) {
    run('mkfs.ext4', ['-q', '-F', '-E', 'lazy_itable_init=0,lazy_journal_init=0', device]);
    return ['relatime'];
  }
  // No journal: a failing write then means EIO for its caller, not a read-only filesystem for everybody.
  // No lazy initialisation: nothing but the test writes to the disk.
  run('mkfs.ext4', ['-q', '-F', '-O', '^has_journal', '-E', 'lazy_itable_init=0', device]);
  const options = 'noatime,errors=continue';
  // A thread of the kernel (ext4lazyinit) starts up to 5 s after the mount and reads the maps of free blocks ahead, in
  // the middle of whatever a test counts. Kernels that do not know the option do not read ahead.
  return [`${options},no_prefetch_block_bitmaps`, options];
}

function mountFirstAccepted(resource, kind, choices, device) {
  const target = resource.path('mnt');
  for (const options of choices.slice(0, -1)) {
    try {
      return resource.mount(['-t', kind, '-o', options, device], target);
    } catch {
      // Refused: the next choice asks for less.
    }
  }
  return resource.mount(['-t', kind, '-o', choices.at(-1), device], target);
}

class SlowDisk {
  #resource;
  #control;

  constructor(resource, server, device, mountPoint) {
    this.#resource = resource;
    this.#control = resource.path('fuse', 'control');
    this.serverPid = server.pid;
    this.device = device;
    this.mountPoint = mountPoint;
    /** The raw FUSE file: with setMetaDelayMs() even its open, stat and close are slow. */
    this.fuseFile = resource.path('fuse', 'disk.img');
  }

  /** Sets any value that slowdisk.c knows, e.g. set({ delay_ms: 100, fail_write: 5 }). */
  set(values) {
    const lines = Object.entries(values).map(([name, value]) => `${name} ${Number(value)}\n`);
    fs.writeFileSync(this.#control, lines.join(''));
  }

  setDelayMs(ms) {
    this.set({ delay_ms: ms });
  }

  setReadDelayMs(ms) {
    this.set({ read_delay_ms: ms });
  }

  setWriteDelayMs(ms) {
    this.set({ write_delay_ms: ms });
  }

  /** Reads that come from now on stay in flight until releaseReads() or reset(). */
  holdReads() {
    this.set({ hold_reads: 1 });
  }

  releaseReads() {
    this.set({ hold_reads: 0 });
  }

  setMetaDelayMs(ms) {
    this.set({ meta_delay_ms: ms });
  }

  /** Each read fails with this errno from now on; 0 heals the disk. */
  failReads(errno) {
    this.set({ fail_read: errno });
  }

  failWrites(errno) {
    this.set({ fail_write: errno });
  }

  /** Writes are acknowledged and forgotten. */
  dropWrites(drop) {
    this.set({ drop_write: drop ? 1 : 0 });
  }

  /** Fast, healthy and honest again. */
  reset() {
    this.set({
      delay_ms: 0,
      sync_delay_ms: 0,
      meta_delay_ms: 0,
      hold_reads: 0,
      fail_read: 0,
      fail_write: 0,
      fail_sync: 0,
      drop_write: 0,
      watch_from: 0,
      watch_to: 0,
    });
  }

  /** { reads, writes, syncs, in_flight, max_in_flight, … }: what the disk has seen. */
  counters() {
    const lines = fs.readFileSync(this.#control, 'latin1').trim().split('\n');
    return Object.fromEntries(lines.map((line) => line.split(' ')).map(([name, value]) => [name, Number(value)]));
  }

  /**
   * From now on `watched_reads_in_flight` counts the reads of this file's data. The other counters also see what the
   * filesystem reads for itself, at any time: its inodes, its maps of free blocks.
   */
  watchReadsOf(file) {
    const lines = run('filefrag', ['-v', '-b1', file]).matchAll(/^ *\d+: +\d+\.\. *\d+: +(\d+)\.\. *(\d+):/gm);
    const extents = Array.from(lines, ([, first, last]) => [Number(first), Number(last) + 1]);
    if (extents.length === 0) throw new Error(`filefrag found no extents of ${file}`);
    this.set({ watch_from: Math.min(...extents.flat()), watch_to: Math.max(...extents.flat()) });
  }

  /** Writes a file, through to the disk and out of the page cache, so that the next buffered read of it is cold. */
  writeCold(name, data) {
    const file = path.join(this.mountPoint, name);
    fs.writeFileSync(file, data);
    evict(file);
    return file;
  }

  close() {
    try {
      this.reset();
    } catch {
      // The server is gone; the cleanup copes with that.
    }
    this.#resource.close();
  }
}

/**
 * Writes a file's dirty pages out and drops its clean ones from the page cache, for this file alone
 * (dd's nocache flag is posix_fadvise(POSIX_FADV_DONTNEED)).
 */
export function evict(file) {
  const fd = fs.openSync(file, 'r');
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
  run('dd', [`if=${file}`, 'of=/dev/null', 'iflag=nocache', 'count=0', 'status=none']);
}

/** Bytes of the file in the page cache; undefined when fincore is not installed. */
export function cachedBytes(file) {
  return hasProgram('fincore') ? Number(run('fincore', ['-b', '-n', '-o', 'RES', file]).trim()) : undefined;
}

/**
 * @param {{ filesystem?: 'ext4' | 'xfs', sizeMiB?: number, backing?: string, journal?: boolean }} [options] `journal`:
 *   ext4 as most have it, with a journal and access times
 * @returns {Promise<SlowDisk & { skipped?: string }>} with `skipped` set there is nothing but the reason
 */
export async function openSlowDisk(options = {}) {
  const obstacle = slowDiskObstacle();
  if (obstacle !== undefined) {
    return { skipped: obstacle };
  }
  const filesystem = options.filesystem ?? 'ext4';
  const sizeBytes = (options.sizeMiB ?? (filesystem === 'xfs' ? 320 : 256)) * 1024 * 1024;
  const program = buildSlowDisk();
  const resource = new Resource('slow-disk');
  let step = 'mounting FUSE';
  try {
    const server = await startServer(resource, program, sizeBytes, options.backing);
    step = 'attaching a loop device with direct I/O';
    const device = resource.attachLoop(resource.path('fuse', 'disk.img'), ['--direct-io=on']);
    step = `mounting ${filesystem}`;
    const choices = makeFilesystem(filesystem, device, options.journal === true);
    const mountPoint = mountFirstAccepted(resource, filesystem, choices, device);
    // An unmount would wait for reads that nobody releases.
    resource.undo(`echo 'hold_reads 0' >${quote(resource.path('fuse', 'control'))}`);
    return new SlowDisk(resource, server, device, mountPoint);
  } catch (error) {
    resource.close();
    return { skipped: `${step} was refused: ${error.message}` };
  }
}

/**
 * A file on FUSE, without a device on top: its content is the backing file's, until it is closed.
 * @param {{ path: string, size: number }} backing
 * @returns {Promise<{ path?: string, close?: () => void, skipped?: string }>}
 */
export async function openFuseFile({ path: backing, size }) {
  const obstacle = slowDiskObstacle();
  if (obstacle !== undefined) {
    return { skipped: obstacle };
  }
  const program = buildSlowDisk();
  const resource = new Resource('fuse-file');
  try {
    await startServer(resource, program, size, backing);
    return { path: resource.path('fuse', 'disk.img'), close: () => resource.close() };
  } catch (error) {
    resource.close();
    return { skipped: `mounting FUSE was refused: ${error.message}` };
  }
}

let shared;

/** One slow disk per test process, made at the first call and taken down at exit; reset before it is handed out. */
export async function sharedSlowDisk() {
  shared ??= openSlowDisk();
  const disk = await shared;
  if (disk.skipped === undefined) {
    disk.reset();
  }
  return disk;
}
