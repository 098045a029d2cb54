// Real filesystems for tests, on sparse images in a temp folder, made once per test process and taken down at exit.
//
//   const xfs = await withFilesystem('xfs');
//   if (xfs.skipped) return skip(this, xfs.skipped);
//   fs.writeFileSync(`${xfs.dir}/a`, 'x');          // each call gets an empty folder of its own on the shared mount
//
//   await withFilesystem('ext4', { sizeMiB: 8 }, async ({ dir }) => { … });   // an own small one, for ENOSPC
//
// A filesystem that cannot be had here has `skipped` set to the reason, and nothing else.
import fs from 'node:fs';
import path from 'node:path';
import { hasProgram, Resource, run } from '../fixtures/resource.mjs';

export const filesystemKinds = ['ext4', 'xfs', 'btrfs', 'tmpfs', 'overlayfs'];

const imageKinds = {
  ext4: { sizeMiB: 256, make: ['mkfs.ext4', '-q', '-F', '-E', 'lazy_itable_init=0,lazy_journal_init=0'] },
  xfs: { sizeMiB: 512, leastMiB: 300, make: ['mkfs.xfs', '-q', '-f'] },
  btrfs: { sizeMiB: 256, leastMiB: 128, make: ['mkfs.btrfs', '-q', '-f'] },
};

const made = new Map();

function obstacle(kind) {
  if (!filesystemKinds.includes(kind)) {
    throw new TypeError(`unknown filesystem ${kind}; there are ${filesystemKinds.join(', ')}`);
  }
  if (process.platform !== 'linux') {
    return `mounting ${kind} needs Linux`;
  }
  if (process.getuid() !== 0) {
    return `mounting ${kind} needs root`;
  }
  const image = imageKinds[kind];
  const needed = image === undefined ? ['mount'] : ['mount', 'losetup', image.make[0]];
  const missing = needed.find((program) => !hasProgram(program));
  return missing === undefined ? undefined : `the program ${missing} is not installed`;
}

function mountImage(resource, kind, sizeMiB) {
  const { make, leastMiB = 1 } = imageKinds[kind];
  const image = resource.path('image');
  const bytes = Math.max(sizeMiB ?? imageKinds[kind].sizeMiB, leastMiB) * 1024 * 1024;
  fs.writeFileSync(image, '');
  fs.truncateSync(image, bytes);
  run(make[0], [...make.slice(1), image]);
  const device = resource.attachLoop(image);
  return resource.mount(['-t', kind, device], resource.path('mnt'));
}

function mountTmpfs(resource, sizeMiB) {
  return resource.mount(['-t', 'tmpfs', '-o', `size=${sizeMiB ?? 512}m`, 'ioengine-test'], resource.path('mnt'));
}

// The lower layer lies on the temp folder's own filesystem, the upper on one of ours: overlayfs refuses an upper
// layer on another overlayfs, which is what the temp folder is in a container.
function mountOverlay(resource, upper, sizeMiB) {
  const lower = resource.path('lower');
  fs.mkdirSync(lower);
  fs.writeFileSync(path.join(lower, 'from-lower.txt'), 'a file of the lower layer\n');
  const base = resource.path('base');
  if (upper === 'tmpfs') {
    resource.mount(['-t', 'tmpfs', '-o', `size=${sizeMiB ?? 512}m`, 'ioengine-test'], base);
  } else {
    const image = resource.path('image');
    fs.writeFileSync(image, '');
    fs.truncateSync(image, (sizeMiB ?? imageKinds.ext4.sizeMiB) * 1024 * 1024);
    run(imageKinds.ext4.make[0], [...imageKinds.ext4.make.slice(1), image]);
    resource.mount(['-t', 'ext4', resource.attachLoop(image)], base);
  }
  for (const name of ['upper', 'work']) {
    fs.mkdirSync(path.join(base, name));
  }
  const layers = `lowerdir=${lower},upperdir=${path.join(base, 'upper')},workdir=${path.join(base, 'work')}`;
  return resource.mount(['-t', 'overlay', '-o', layers, 'overlay'], resource.path('mnt'));
}

function create(kind, options) {
  const reason = obstacle(kind);
  if (reason !== undefined) {
    return { skipped: reason };
  }
  const resource = new Resource(`${kind}-test`);
  try {
    let mountPoint;
    if (kind === 'tmpfs') {
      mountPoint = mountTmpfs(resource, options.sizeMiB);
    } else if (kind === 'overlayfs') {
      mountPoint = mountOverlay(resource, options.upper ?? 'ext4', options.sizeMiB);
    } else {
      mountPoint = mountImage(resource, kind, options.sizeMiB);
    }
    fs.chmodSync(mountPoint, 0o777);
    return { kind, mountPoint, close: () => resource.close() };
  } catch (error) {
    resource.close();
    return { skipped: `mounting ${kind} was refused: ${error.message}` };
  }
}

/**
 * @param {'ext4'|'xfs'|'btrfs'|'tmpfs'|'overlayfs'} kind
 * @param {{ sizeMiB?: number, upper?: 'ext4'|'tmpfs' }} [options] each set of options is a mount of its own
 * @param {(filesystem: { kind: string, mountPoint: string, dir: string }) => unknown} [use] is run with the
 *   filesystem if there is one; its folder is removed afterwards
 * @returns {Promise<{ kind?: string, mountPoint?: string, dir?: string, skipped?: string, result?: unknown }>}
 */
export async function withFilesystem(kind, options = {}, use = undefined) {
  if (typeof options === 'function') {
    return withFilesystem(kind, {}, options);
  }
  const key = JSON.stringify([kind, options.sizeMiB, options.upper]);
  if (!made.has(key)) {
    made.set(key, create(kind, options));
  }
  const filesystem = made.get(key);
  if (filesystem.skipped !== undefined) {
    return { skipped: filesystem.skipped };
  }
  const dir = fs.mkdtempSync(path.join(filesystem.mountPoint, 'dir-'));
  fs.chmodSync(dir, 0o777);
  const handed = { kind, mountPoint: filesystem.mountPoint, dir };
  if (use === undefined) {
    return handed;
  }
  try {
    return { ...handed, result: await use(handed) };
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
}
