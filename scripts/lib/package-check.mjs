// What must hold of the package before it leaves this machine. Each rule gives the lines that say what is wrong.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { factsOf, isNewer } from './binary-facts.mjs';
import { GLIBC_FLOOR, targets } from './targets.mjs';

/** Of the packed tarball. Four binaries are nearly all of it. */
export const PACKED_BYTES_MAX = 1.5 * 1024 * 1024;

/** What Node looks for in an addon; everything else in it is hidden. */
export const VISIBLE = ['napi_register_module_v1', 'node_api_module_get_api_version_v1'];

/** Libraries that are part of every system of the kind: no libstdc++, no libgcc_s, no liburing. */
const NEEDED = {
  glibc: /^(lib(c\.so\.6|m\.so\.6|dl\.so\.2|pthread\.so\.0)|ld-linux-x86-64\.so\.2|ld-linux-aarch64\.so\.1)$/,
  musl: /^libc\.so$/,
};

const NAPI_VERSION = 9;

/** Symbols that Node itself has: N-API of the version that the addon is for, and libuv. */
function symbolsOfNode() {
  const { symbols } = createRequire(import.meta.url)('node-api-headers');
  const { js_native_api_symbols: js, node_api_symbols: node } = symbols[`v${NAPI_VERSION}`];
  return new Set([...js, ...node]);
}

/** What a binary takes from neither Node nor, where symbols have versions, glibc: musl's names have none. */
export function symbolsOfTheSystem(facts) {
  const napi = symbolsOfNode();
  return facts.undefinedSymbols.filter(
    ({ name, version }) => !version && !napi.has(name) && !/^uv_[a-z_]+$/.test(name),
  );
}

/** What is wrong with the binary of a target. */
export function problemsOfBinary(target, file) {
  if (!existsSync(file)) return ['does not exist'];
  if (statSync(file).size === 0) return ['is empty'];
  let facts;
  try {
    facts = factsOf(file);
  } catch (error) {
    return [error.message];
  }
  const problems = [];
  if (facts.arch !== target.arch) problems.push(`is for ${facts.arch ?? 'another machine'}`);
  if (!facts.stripped) problems.push('is not stripped');
  const foreign = facts.needed.filter((name) => !NEEDED[target.libc].test(name));
  if (foreign.length > 0) problems.push(`needs ${foreign.join(', ')}`);
  if (target.libc === 'glibc') {
    if (facts.glibc === undefined || isNewer(facts.glibc, GLIBC_FLOOR)) {
      problems.push(`needs glibc ${facts.glibc ?? 'of no version'}, and ${GLIBC_FLOOR} is the promise`);
    }
    const unknown = symbolsOfTheSystem(facts).filter(({ isWeak }) => !isWeak);
    if (unknown.length > 0) problems.push(`lacks ${unknown.map(({ name }) => name).join(', ')}`);
  }
  if (facts.defined.join() !== VISIBLE.join()) problems.push(`shows ${facts.defined.join(', ') || 'nothing'}`);
  if (!facts.flags.includes('NODELETE')) problems.push('is not linked with -z nodelete');
  return problems;
}

const targetsOf = (value) => (typeof value === 'string' ? [value] : Object.values(value).flatMap(targetsOf));

/** What is wrong with a folder that is about to be packed. */
export function problemsOfPackage(folder) {
  const manifest = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
  const named = [...targetsOf(manifest.exports), manifest.main, manifest.types, 'README.md', 'LICENSE', 'CHANGELOG.md'];
  const wanted = [...new Set(named.map((name) => path.posix.normalize(name))), 'prebuilds/LICENSE.liburing'];
  const absent = wanted.filter((name) => !(statSync(path.join(folder, name), { throwIfNoEntry: false })?.size > 0));
  return [
    ...absent.map((name) => `${name} is missing or empty`),
    ...targets.flatMap((target) => {
      const name = path.join('prebuilds', target.name, 'ioengine.node');
      return problemsOfBinary(target, path.join(folder, name)).map((problem) => `${name} ${problem}`);
    }),
  ];
}
