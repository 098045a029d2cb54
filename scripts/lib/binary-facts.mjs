// What a shared library asks of the system that it is loaded on, as readelf tells it.
import { PlainError, runQuietly } from './run.mjs';

function readelf(options, file) {
  const { status, stdout, stderr, error } = runQuietly('readelf', ['--wide', ...options, file], {
    env: { ...process.env, LC_ALL: 'C' },
  });
  if (error) throw new PlainError(`readelf (of binutils) could not be started: ${error.message}`);
  if (status !== 0 || stderr.trim()) throw new PlainError(`${file} is no sound ELF file: ${stderr.trim()}`);
  return stdout;
}

const MACHINES = { 'Advanced Micro Devices X86-64': 'x64', AArch64: 'arm64' };

const compareVersions = (a, b) => {
  const [left, right] = [a, b].map((version) => version.split('.').map(Number));
  const at = left.findIndex((part, index) => part !== (right[index] ?? 0));
  return at < 0 ? left.length - right.length : left[at] - (right[at] ?? 0);
};

/** A line of the dynamic symbol table: number, value, size, type, binding, visibility, section, name[@version]. */
function symbolOf(line) {
  const [number, , , type, binding, , section, fullName] = line.trim().split(/\s+/);
  if (!/^\d+:$/.test(number ?? '') || fullName === undefined || type === 'SECTION') return undefined;
  const [name, version] = fullName.split(/@+/);
  return { name, version, isDefined: section !== 'UND', isWeak: binding === 'WEAK' };
}

/**
 * @returns {{ arch?: string, stripped: boolean, needed: string[], glibc?: string, defined: string[],
 *   undefinedSymbols: { name: string, version?: string, isWeak: boolean }[], flags: string }}
 *   `glibc`: the newest version that a symbol asks for
 */
export function factsOf(file) {
  const header = readelf(['--file-header'], file);
  const dynamic = readelf(['--dynamic'], file);
  const symbols = readelf(['--dyn-syms'], file).split('\n').map(symbolOf).filter(Boolean);
  const sections = readelf(['--section-headers'], file);
  const versions = symbols.map(({ version }) => /^GLIBC_([\d.]+)$/.exec(version ?? '')?.[1]).filter(Boolean);
  return {
    arch: MACHINES[/Machine:\s+(.*)/.exec(header)?.[1].trim()],
    stripped: !/\.(symtab|debug_\w+)\b/.test(sections),
    needed: [...dynamic.matchAll(/\(NEEDED\).*\[(.*)\]/g)].map(([, name]) => name),
    glibc: versions.sort(compareVersions).at(-1),
    defined: symbols
      .filter(({ isDefined }) => isDefined)
      .map(({ name }) => name)
      .sort(),
    undefinedSymbols: symbols.filter(({ isDefined }) => !isDefined),
    flags: dynamic.match(/\(FLAGS\w*\).*/g)?.join(' ') ?? '',
  };
}

export const isNewer = (version, floor) => compareVersions(version, floor) > 0;
