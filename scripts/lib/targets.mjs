// The systems that the package has a binary for. The loader picks by the same names: src/native/binary.ts.

/** The oldest C libraries that the binaries load with. To move one, write it here; tests compare with the binaries. */
export const GLIBC_FLOOR = '2.28';

export const targets = [
  { name: 'linux-x64-glibc', zig: `x86_64-linux-gnu.${GLIBC_FLOOR}`, arch: 'x64', libc: 'glibc' },
  { name: 'linux-arm64-glibc', zig: `aarch64-linux-gnu.${GLIBC_FLOOR}`, arch: 'arm64', libc: 'glibc' },
  { name: 'linux-x64-musl', zig: 'x86_64-linux-musl', arch: 'x64', libc: 'musl' },
  { name: 'linux-arm64-musl', zig: 'aarch64-linux-musl', arch: 'arm64', libc: 'musl' },
];
