// The addon that was compiled on this machine, as the package's binary for it. Where the package comes from git, and in
// the tests of the package, that is all there is.
import { copyFileSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { buildNative, nativeIsCurrent } from './native-build.mjs';
import { addonFile } from './paths.mjs';
import { prebuildsAreThere, prebuildsFolder } from './prebuilds.mjs';
import { explainMissing, requirements } from './requirements.mjs';
import { PlainError, runQuietly } from './run.mjs';
import { buildTypescript } from './typescript-build.mjs';

/** The target that this process is of. The loader finds it in another way; a test compares the two. */
export function localTarget() {
  const { glibcVersionRuntime } = process.report.getReport().header;
  return `${process.platform}-${process.arch}-${glibcVersionRuntime === undefined ? 'musl' : 'glibc'}`;
}

/** Copies it, stripped, into a folder of prebuilt binaries. Returns its file. */
export function copyLocalBuild(folder) {
  const file = path.join(folder, localTarget(), 'ioengine.node');
  mkdirSync(path.dirname(file), { recursive: true });
  copyFileSync(addonFile, file);
  const { status, stderr, error } = runQuietly('strip', ['--strip-unneeded', file]);
  if (status !== 0) throw new PlainError(`strip (of binutils) failed: ${error?.message ?? stderr.trim()}`);
  return file;
}

/** Both builds, with the compiler of this machine; installs nothing of the system's. */
export function buildForThisMachine() {
  if (!nativeIsCurrent()) explainMissing(requirements.build);
  buildNative();
  buildTypescript();
  // Those of `npm run prebuild` are for this machine as well.
  if (!prebuildsAreThere()) copyLocalBuild(prebuildsFolder);
}
