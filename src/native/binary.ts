// Finds the file of the native addon and loads it; where it cannot, says what was tried and what was wrong with each.

import nodeFs = require('node:fs');

import { join } from 'node:path';
import { bytesNeeded, type Elf, is64BitElf, machineOf, readHead } from './elf';
import { runningLibc } from './libc';

// Taken now: a program may have put a function of its own into node:fs by the time the addon is needed. For the same
// reason it is not loaded with require, which asks node:fs where files are.
const { closeSync, openSync } = nodeFs;

/** What was loaded, or why nothing was; `passes`: the next attempt may find what this one lacked. */
export type Loaded = { exports: object } | { failure: string; passes: boolean };

/** What is wrong with a file; the second means that the process has no descriptors left. */
interface Problem {
  text: string;
  passes?: boolean;
}

/** By process.arch, of the machines that have 64 bits and are little-endian. */
const MACHINES: Record<number, string> = { 21: 'ppc64', 62: 'x64', 183: 'arm64', 243: 'riscv64', 258: 'loong64' };

/**
 * Why this file cannot be the addon of this process. Asked before it is loaded: the dynamic linker maps what a file
 * that was cut short does not have, and the process dies of SIGBUS.
 */
function problemOf(elf: Elf): string | undefined {
  if (elf.fileBytes === 0) return 'is empty';
  if (!is64BitElf(elf)) return 'is not a 64-bit ELF file';
  const arch = MACHINES[machineOf(elf)] ?? `machine ${machineOf(elf)}`;
  if (arch !== process.arch) return `is for ${arch}, and this process is ${process.arch}`;
  const needed = bytesNeeded(elf);
  if (elf.fileBytes < needed) return `is cut short: it has ${elf.fileBytes} bytes, and ${needed} are needed`;
  return undefined;
}

/** What the package comes with: scripts/lib/targets.mjs. One that was installed from git has that of its machine. */
const PREBUILT: readonly string[] = ['linux-x64-glibc', 'linux-arm64-glibc', 'linux-x64-musl', 'linux-arm64-musl'];

/** Names of the prebuilt binaries that may be for this process; both where the C library is not known. */
function targets(): string[] {
  const libc = runningLibc(process.execPath);
  const names = libc === undefined ? ['glibc', 'musl'] : [libc];
  return names.map((name) => `${process.platform}-${process.arch}-${name}`);
}

/** IOENGINE_ADDON stands alone: another addon than the one that it names would not do. Read when this is loaded. */
const named = process.env.IOENGINE_ADDON;
const root = join(__dirname, '..', '..');

/** In this order: what was built here, while ioengine is being worked on; what came in the package. */
function* candidates(): Generator<string> {
  if (named) return yield named;
  yield join(root, 'build', 'Release', 'ioengine.node');
  for (const target of targets()) yield join(root, 'prebuilds', target, 'ioengine.node');
}

const lacksDescriptors = (error: unknown): boolean =>
  ['EMFILE', 'ENFILE'].includes((error as NodeJS.ErrnoException).code ?? '');

/** How an attempt has failed: what open(2) or the dynamic linker says. */
function problemWith(file: string, error: unknown): Problem {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') return { text: 'does not exist' };
  if (lacksDescriptors(error)) return { text: message, passes: true };
  // The text is that of the C locale. Under another one, which an embedder may set, another open says it again.
  const passes = message.includes('Too many open files') || !canBeOpened(file);
  const [reason] = message.replace(`${file}: `, '').split('\n');
  return { text: `cannot be loaded: ${reason}`, passes };
}

function canBeOpened(file: string): boolean {
  try {
    closeSync(openSync(file, 'r'));
    return true;
  } catch (error) {
    return !lacksDescriptors(error);
  }
}

function load(file: string): { exports: object } | Problem {
  try {
    const problem = problemOf(readHead(file));
    if (problem !== undefined) return { text: problem };
    const module_ = { exports: {} };
    process.dlopen(module_, file);
    return module_;
  } catch (error) {
    return problemWith(file, error);
  }
}

/** Loads the first that can be. */
export function loadBinary(): Loaded {
  const tried: string[] = [];
  let passes = false;
  for (const file of candidates()) {
    const result = load(file);
    if ('exports' in result) return result;
    tried.push(`${file} ${result.text}`);
    passes ||= result.passes === true;
  }
  if (named) return { failure: `IOENGINE_ADDON names ${tried[0]!.replace(`${named} `, `${named}, which `)}`, passes };
  const wanted = targets();
  const others = wanted.some((target) => PREBUILT.includes(target)) ? '' : `; the package has ${PREBUILT.join(', ')}`;
  return { failure: `no native addon for ${wanted.join(' or ')}: ${tried.join('; ')}${others}`, passes };
}
