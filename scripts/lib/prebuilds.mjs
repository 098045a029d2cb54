// Builds prebuilds/<target>/ioengine.node for every target, and the native tests for a target, with the tools of
// toolchain.mjs. The same sources give the same bytes, wherever the repository is.
import { copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { commonFlags, compileObjects, link, wrappedNames } from './compile.mjs';
import { addonSources, engineSources, filesBelow, inRoot, nativeTestSources, root } from './paths.mjs';
import { inParallel, say } from './run.mjs';
import { digestOf, readStamp, writeStamp } from './stamp.mjs';
import { targets } from './targets.mjs';
import { toolchain, toolchainVersions, zigEnvironment } from './toolchain.mjs';

export const prebuildsFolder = inRoot('prebuilds');
export const prebuildFile = (target) => path.join(prebuildsFolder, target.name, 'ioengine.node');
export const LICENCE_OF_LIBURING = 'LICENSE.liburing';
const stampFile = path.join(prebuildsFolder, '.stamp');
const buildFolder = inRoot('build-prebuilds');

const inputs = () => [
  ...addonSources(),
  ...filesBelow(inRoot('csrc'), ['.h', '.def', '.map']),
  ...['compile', 'prebuilds', 'targets'].map((name) => inRoot('scripts', 'lib', `${name}.mjs`)),
];
const digest = () => digestOf(inputs(), toolchainVersions());

/** All are there, and made from the sources as they are. */
export const prebuildsAreCurrent = () =>
  targets.every((target) => existsSync(prebuildFile(target))) && readStamp(stampFile) === digest();

/** True where `npm run prebuild` has made them; a package that is installed from git has one, compiled on the spot. */
export const prebuildsAreThere = () => existsSync(stampFile);

/** clang with the C library of the target. */
const compilerFor = (target, { zig, cache }) => ({
  c: { program: zig, args: ['cc', '-target', target.zig], env: zigEnvironment(cache) },
  cpp: { program: zig, args: ['c++', '-target', target.zig], env: zigEnvironment(cache) },
  // The libraries of C++ are compiled on the way, with warnings that are not ours.
  linker: { program: zig, args: ['c++', '-target', target.zig], env: zigEnvironment(cache), quiet: true },
});

// No path of this machine gets into the binary, and none of the checks that the compiler adds on its own.
const outputFlags = [
  '-O2',
  '-g0',
  '-fPIC',
  `-ffile-prefix-map=${root}=.`,
  '-fno-sanitize=undefined',
  '-fvisibility=hidden',
];

const liburingSources = ['setup.c', 'queue.c', 'register.c', 'syscall.c'];

async function compileLiburing({ liburing }, compiler, folder, renames) {
  const sources = liburingSources.map((name) => path.join(liburing, 'src', name));
  const include = `-I${path.join(liburing, 'src', 'include')}`;
  // A name of its own for the kernel's type: the headers of every target have it.
  const defines = ['-D_GNU_SOURCE', '-DLIBURING_INTERNAL', '-DCONFIG_HAVE_KERNEL_RWF_T'];
  return compileObjects(sources, [...outputFlags, ...defines, ...renames, '-w', include], folder, compiler.c);
}

const includesOf = ({ liburing, nodeHeaders }) => [
  `-I${path.join(liburing, 'src', 'include')}`,
  `-isystem${nodeHeaders}`,
];

/** Compiles and links the addon for one target into `output`. */
async function buildAddon(target, tools, output, folder) {
  const compiler = compilerFor(target, tools);
  const objects = [
    ...(await compileLiburing(tools, compiler, folder, [])),
    ...(await compileObjects(
      addonSources(),
      [
        ...outputFlags,
        ...commonFlags,
        '-fvisibility-inlines-hidden',
        '-DNAPI_VERSION=9',
        '-DNODE_GYP_MODULE_NAME=ioengine',
        '-DBUILDING_NODE_EXTENSION',
        ...includesOf(tools),
      ],
      folder,
      compiler.cpp,
    )),
  ];
  const flags = [
    '-shared',
    '-s',
    '-Wl,-z,nodelete',
    '-Wl,--build-id=none',
    `-Wl,--version-script=${inRoot('csrc', 'addon.map')}`,
  ];
  await link(objects, flags, output, compiler.linker);
}

/** Builds a target's addon from nothing, with nothing that was kept: what another machine would do. */
export async function buildFromNothing(target, folder) {
  const output = path.join(folder, 'ioengine.node');
  const tools = { ...toolchain(), cache: path.join(folder, 'zig-cache') };
  await buildAddon(target, tools, output, path.join(folder, 'objects'));
  return output;
}

/** What stands in front of calls of the C library, which are not compiled here. */
const NEEDS_WRAPPED_LIBC = ['wrapped_calls', 'simulated_threads', 'simulation_test'];

/**
 * The native tests for a target, as [{ name, file }]. This linker has no --wrap, so for the calls of liburing that a
 * helper stands in front of the compiler gives both sides the names that it would.
 */
export async function buildNativeTestsFor(target) {
  const tools = toolchain();
  const compiler = compilerFor(target, tools);
  const folder = path.join(buildFolder, target.name, 'tests');
  const works = (file) => !NEEDS_WRAPPED_LIBC.includes(path.basename(file, '.cc'));
  const { programs, helpers } = Object.fromEntries(
    Object.entries(nativeTestSources()).map(([kind, files]) => [kind, files.filter(works)]),
  );
  const engine = engineSources().filter(works);
  const wrapped = wrappedNames([...engine, ...helpers]);
  const renames = (prefix) => wrapped.map((name) => `-D${name}=${prefix}${name}`);
  const flags = [
    ...outputFlags,
    ...commonFlags,
    '-DIOENGINE_FAULT_POINTS=1',
    ...renames('__wrap_'),
    ...includesOf(tools),
  ];
  const shared = [
    ...(await compileLiburing(tools, compiler, folder, renames('__real_'))),
    ...(await compileObjects([...engine, ...helpers], flags, folder, compiler.cpp)),
  ];
  const mains = await compileObjects(programs, flags, folder, compiler.cpp);
  return inParallel(
    programs.map((source, index) => ({ name: path.basename(source, '.cc'), main: mains[index] })),
    os.availableParallelism(),
    async ({ name, main }) => {
      const file = path.join(folder, name);
      await link([main, ...shared], ['-dynamic', '-s'], file, compiler.linker);
      return { name, file };
    },
  );
}

export async function buildPrebuilds({ rebuild = false } = {}) {
  if (!rebuild && prebuildsAreCurrent()) return;
  const before = digest();
  rmSync(prebuildsFolder, { recursive: true, force: true });
  const tools = toolchain();
  for (const target of targets) {
    say(`prebuild: ${target.name}`);
    const output = path.join(buildFolder, target.name, 'ioengine.node');
    await buildAddon(target, tools, output, path.join(buildFolder, target.name));
    mkdirSync(path.dirname(prebuildFile(target)), { recursive: true });
    copyFileSync(output, prebuildFile(target));
  }
  // Linked into each binary, under a licence that asks for being named.
  copyFileSync(path.join(tools.liburing, 'LICENSE'), path.join(prebuildsFolder, LICENCE_OF_LIBURING));
  writeStamp(stampFile, before);
}
