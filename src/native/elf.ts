// Reads what an ELF file says of itself (elf(5)), as far as the dynamic linker goes by it. 64-bit, little-endian.

import nodeFs = require('node:fs');

// Taken now: a program may have put a function of its own into node:fs by the time the addon is needed.
const { closeSync, fstatSync, openSync, readSync } = nodeFs;

/** Where the fields are. */
const PROGRAM_HEADERS = 32;
const HEADER_SIZE = 54;
const HEADER_COUNT = 56;
const FILE_HEADER_BYTES = 64;
const MACHINE = 18;
const SEGMENT_KIND = 0;
const SEGMENT_OFFSET = 8;
const SEGMENT_BYTES = 32;
const LOADED_SEGMENT = 1;
const INTERPRETER_SEGMENT = 3;
/** Enough for all headers, and for the interpreter's name behind them. */
const HEAD_BYTES = 2048;

export interface Elf {
  head: Buffer;
  fileBytes: number;
}

/** The beginning of a file. Throws what open(2) says. */
export function readHead(file: string): Elf {
  const fd = openSync(file, 'r');
  try {
    const head = Buffer.alloc(HEAD_BYTES);
    const bytes = readSync(fd, head, 0, HEAD_BYTES, 0);
    return { head: head.subarray(0, bytes), fileBytes: fstatSync(fd).size };
  } finally {
    closeSync(fd);
  }
}

export const is64BitElf = ({ head }: Elf): boolean =>
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

export const machineOf = ({ head }: Elf): number => head.readUInt16LE(MACHINE);

const kindOf = ({ head }: Elf, segment: number): number => head.readUInt32LE(segment + SEGMENT_KIND);

/** How many bytes the file must have for the dynamic linker to load it. */
export function bytesNeeded(elf: Elf): number {
  const { segments, end } = segmentsOf(elf);
  const loaded = segments.filter((segment) => kindOf(elf, segment) === LOADED_SEGMENT);
  return Math.max(end, ...loaded.map((segment) => placeOf(elf, segment).end));
}

/** The dynamic linker that a program names. */
export function interpreterOf(elf: Elf): string | undefined {
  const interpreter = segmentsOf(elf).segments.find((segment) => kindOf(elf, segment) === INTERPRETER_SEGMENT);
  if (interpreter === undefined) return undefined;
  const { start, end } = placeOf(elf, interpreter);
  return elf.head.toString('latin1', start, end - 1);
}
