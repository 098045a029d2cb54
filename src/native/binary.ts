// Finds the file of the native addon and loads it; where it cannot, says what was tried and what was wrong with each.

import nodeFs = require('node:fs');

import { basename, join } from 'node:path';

// Taken now: a program may have put a function of its own into node:fs by the time the addon is needed. For the same
// reason it is not loaded with require, which asks node:fs where files are.
const { closeSync, fstatSync, openSync, readSync } = nodeFs;

/** What was loaded, or why nothing was; `passes`: the next attempt may find what this one lacked. */
export type Loaded = { exports: object } | { failure: string; passes: boolean };

/** What is wrong with a file; the second means that the process has no descriptors left. */
interface Problem {
  text: string;
  passes?: boolean;
}

/** Of an ELF file: where a program header begins, and fields in it (elf(5)). */
const PROGRAM_HEADERS = 32;
const HEADER_SIZE = 54;
const HEADER_COUNT = 56;
const FILE_HEADER_BYTES = 64;
const MACHINE = 18;
const SEGMENT_OFFSET = 8;
const SEGMENT_BYTES = 32;
const LOADED_SEGMENT = 1;
const INTERPRETER_SEGMENT = 3;
/** Of the machines that Node runs on, by process.arch. */
const MACHINES: Record<number, string> = {
  3: 'ia32',
  8: 'mips',
  21: 'ppc64',
  22: 's390x',
  40: 'arm',
  62: 'x64',
  183: 'arm64',
  243: 'riscv64',
  258: 'loong64',
};
/** Enough for all headers, and for the interpreter's name behind them. */
const HEAD_BYTES = 2048;

interface Elf {
  head: Buffer;
  fileBytes: number;
}

/** The beginning of a file. Throws what open(2) says. */
function readHead(file: string): Elf {
  const fd = openSync(file, 'r');
  try {
    const head = Buffer.alloc(HEAD_BYTES);
    const bytes = readSync(fd, head, 0, HEAD_BYTES, 0);
    return { head: head.subarray(0, bytes), fileBytes: fstatSync(fd).size };
  } finally {
    closeSync(fd);
  }
}

const is64BitElf = ({ head }: Elf): boolean =>
  head.length >= FILE_HEADER_BYTES && head.readUInt32BE(0) === 0x7f454c46 && head[4] === 2 && head[5] === 1;

/** Where the program headers that were read begin, and where the last of all ends. */
function segmentsOf({ head }: Elf): { segments: number[]; end: number } {
  const first = Number(head.readBigUInt64LE(PROGRAM_HEADERS));
  const size = head.readUInt16LE(HEADER_SIZE);
  const count = head.readUInt16LE(HEADER_COUNT);
  const offsets = Array.from({ length: count }, (_, index) => first + index * size);
  return { segments: offsets.filter((offset) => offset + size <= head.length), end: first + count * size };
}

const placeOf = ({ head }: Elf, segment: number): { start: number; end: number } => {
  const start = Number(head.readBigUInt64LE(segment + SEGMENT_OFFSET));
  return { start, end: start + Number(head.readBigUInt64LE(segment + SEGMENT_BYTES)) };
};

/**
 * Why this file cannot be the addon of this process. Asked before it is loaded: the dynamic linker maps what a file that
 * was cut short does not have, and the process dies of SIGBUS.
 */
function problemOf(elf: Elf): string | undefined {
  if (elf.fileBytes === 0) return 'is empty';
  if (!is64BitElf(elf)) return 'is not a 64-bit ELF file';
  const machine = elf.head.readUInt16LE(MACHINE);
  const arch = MACHINES[machine] ?? `machine ${machine}`;
  if (arch !== process.arch) return `is for ${arch}, and this process is ${process.arch}`;
  const { segments, end } = segmentsOf(elf);
  const loaded = segments.filter((segment) => elf.head.readUInt32LE(segment) === LOADED_SEGMENT);
  const needed = Math.max(end, ...loaded.map((segment) => placeOf(elf, segment).end));
  if (elf.fileBytes < needed) return `is cut short: it has ${elf.fileBytes} bytes, and ${needed} are needed`;
  return undefined;
}

type Libc = 'glibc' | 'musl';

/** By the name of a dynamic linker: ld-musl-x86_64.so.1, ld-linux-x86-64.so.2. */
function libcOf(linker: string): Libc | undefined {
  const name = basename(linker);
  if (name.startsWith('ld-musl')) return 'musl';
  return /^ld(-linux|64)?[-.]/.test(name) ? 'glibc' : undefined;
}

/**
 * The C library of this process. The program names its dynamic linker, which is a hundred times faster to read than
 * process.report is to make; a process that was started by way of the linker has that for its program.
 */
export function runningLibc(program: string = process.execPath): Libc | undefined {
  try {
    const elf = readHead(program);
    if (!is64BitElf(elf)) return undefined;
    const interpreter = segmentsOf(elf).segments.find(
      (segment) => elf.head.readUInt32LE(segment) === INTERPRETER_SEGMENT,
    );
    if (interpreter === undefined) return libcOf(program);
    const { start, end } = placeOf(elf, interpreter);
    return libcOf(elf.head.toString('latin1', start, end - 1));
  } catch {
    return undefined;
  }
}

/** What the package comes with: scripts/lib/targets.mjs. One that was installed from git has that of its machine. */
const PREBUILT: readonly string[] = ['linux-x64-glibc', 'linux-arm64-glibc', 'linux-x64-musl', 'linux-arm64-musl'];

/** Names of the prebuilt binaries that may be for this process; both where the C library is not known. */
function targets(): string[] {
  const libc = runningLibc();
  const names = libc === undefined ? ['glibc', 'musl'] : [libc];
  return names.map((name) => `${process.platform}-${process.arch}-${name}`);
}

/** IOENGINE_ADDON, read when this module is loaded, stands alone: another addon than the one that it names would not do. */
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
