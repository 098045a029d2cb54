// What the machine has to have: for the build (always), for all tests, for the benchmarks, for CI.
// Each row: what is looked for, and the Debian package that brings it.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { findProgram, PlainError, runLoudly, runQuietly, say } from './run.mjs';

const program = (name, debian) => ({ what: name, debian, present: () => findProgram(name) !== undefined });
const header = (name, debian) => ({
  what: `<${name}>`,
  debian,
  present: () => ['/usr/include', '/usr/local/include'].some((folder) => existsSync(path.join(folder, name))),
});

// Compiled and linked for real: a header alone does not say whether liburing.a is there, nor whether it is
// new enough. io_uring_prep_send_zc came with 2.3, the version that Debian 12 has.
const liburing = {
  what: 'liburing 2.3 or newer with liburing.a',
  debian: 'liburing-dev',
  present() {
    if (!findProgram('g++')) return false;
    const folder = mkdtempSync(path.join(os.tmpdir(), 'ioengine-probe-'));
    try {
      const source = path.join(folder, 'probe.cc');
      writeFileSync(
        source,
        `#include <liburing.h>
int main() {
  io_uring_sqe sqe{};
  io_uring_prep_send_zc(&sqe, 0, nullptr, 0, 0, 0);
  return io_uring_queue_init(1, nullptr, 0);
}
`,
      );
      const args = ['-std=c++17', source, '-o', path.join(folder, 'probe'), '-l:liburing.a'];
      return runQuietly('g++', args).status === 0;
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

export const requirements = {
  build: [program('g++', 'g++'), program('make', 'make'), program('python3', 'python3'), liburing],
  // Without these the suite runs too: the tests that need them are skipped, each saying why.
  test: [
    program('gcc', 'gcc'),
    program('pkg-config', 'pkg-config'),
    header('fuse3/fuse.h', 'libfuse3-dev'),
    program('fusermount3', 'fuse3'),
    program('losetup', 'mount'),
    program('mkfs.ext4', 'e2fsprogs'),
    program('mkfs.xfs', 'xfsprogs'),
    program('mkfs.btrfs', 'btrfs-progs'),
    program('strace', 'strace'),
    program('fio', 'fio'),
    program('git', 'git'),
    program('curl', 'curl'),
    program('unzip', 'unzip'),
  ],
  bench: [program('gcc', 'gcc'), program('fio', 'fio')],
  ci: [program('clang-format', 'clang-format')],
};

const missingOf = (rows) => rows.filter((row) => !row.present());
const debianNames = (rows) => [...new Set(rows.map((row) => row.debian))];

function installWithApt(packages) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  say(`set-up: installing ${packages.join(' ')} with apt-get`);
  runLoudly('apt-get', ['update', '-qq'], { env });
  runLoudly('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], { env });
}

const adviceFor = (missing, cause = '') =>
  `missing: ${missing.map((row) => row.what).join(', ')}${cause}; install with: apt-get install ${debianNames(missing).join(' ')} (or what your system calls these)`;

/** Fails where something is missing, and installs nothing: for those who asked for no set-up. */
export function explainMissing(rows) {
  const missing = missingOf(rows);
  if (missing.length > 0) throw new PlainError(adviceFor(missing));
}

/**
 * Makes sure that a group of requirements is met. Root on a machine with apt-get gets the packages installed; everybody
 * else gets one line that says what to install.
 */
export function ensure(rows, { optional = false } = {}) {
  let missing = missingOf(rows);
  if (missing.length === 0) return;
  let cause = '';
  if (process.getuid?.() === 0 && findProgram('apt-get')) {
    try {
      installWithApt(debianNames(missing));
    } catch (error) {
      if (!(error instanceof PlainError)) throw error;
      cause = ` (${error.message})`;
    }
    missing = missingOf(rows);
    if (missing.length === 0) return;
  }
  const line = adviceFor(missing, cause);
  if (!optional) throw new PlainError(line);
  say(`set-up: ${line}; what needs them is skipped`);
}
