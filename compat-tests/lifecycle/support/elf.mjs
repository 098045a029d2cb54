// What the dynamic section of a 64-bit little-endian ELF file says (elf(5)).
import fs from 'node:fs';

const PT_DYNAMIC = 2;
const DT_NULL = 0n;
const DT_FLAGS_1 = 0x6ffffffbn;
const DF_1_NODELETE = 0x8n;

function dynamicEntries(file) {
  const bytes = fs.readFileSync(file);
  if (bytes.toString('latin1', 0, 6) !== '\x7fELF\x02\x01') throw new Error(`${file} is no 64-bit little-endian ELF`);
  const table = Number(bytes.readBigUInt64LE(32));
  const entrySize = bytes.readUInt16LE(54);
  const entries = [];
  for (let i = 0; i < bytes.readUInt16LE(56); i++) {
    const header = table + i * entrySize;
    if (bytes.readUInt32LE(header) !== PT_DYNAMIC) continue;
    const start = Number(bytes.readBigUInt64LE(header + 8));
    const end = start + Number(bytes.readBigUInt64LE(header + 32));
    for (let at = start; at < end && bytes.readBigInt64LE(at) !== DT_NULL; at += 16) {
      entries.push({ tag: bytes.readBigInt64LE(at), value: bytes.readBigUInt64LE(at + 8) });
    }
  }
  if (entries.length === 0) throw new Error(`${file} has no dynamic section`);
  return entries;
}

/** Whether the dynamic linker keeps this file mapped after the last dlclose(3). */
export function isKeptMapped(file) {
  return dynamicEntries(file).some(({ tag, value }) => tag === DT_FLAGS_1 && (value & DF_1_NODELETE) !== 0n);
}
