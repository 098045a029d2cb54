// Which C library this process has.

import { basename } from 'node:path';
import { interpreterOf, is64BitElf, readHead } from './elf';

export type Libc = 'glibc' | 'musl';

/** By the name of a dynamic linker: ld-musl-x86_64.so.1, ld-linux-x86-64.so.2. */
function libcOf(linker: string): Libc | undefined {
  const name = basename(linker);
  if (name.startsWith('ld-musl')) return 'musl';
  return /^ld(-linux|64)?[-.]/.test(name) ? 'glibc' : undefined;
}

/**
 * The program names its dynamic linker, which is a hundred times faster to read than process.report is to make. A
 * process that was started by way of the linker has that for its program. Undefined where neither tells.
 */
export function runningLibc(program: string): Libc | undefined {
  try {
    const elf = readHead(program);
    return is64BitElf(elf) ? libcOf(interpreterOf(elf) ?? program) : undefined;
  } catch {
    return undefined;
  }
}
