// A small incremental C++ build: used where node-gyp does not fit (native tests, the sanitized addon).
// An object is compiled again when a file it was made from is newer, as the compiler's own dependency list
// says, or when the command line changed.
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { inRoot, root } from './paths.mjs';
import { inParallel, PlainError, runCollecting, say } from './run.mjs';
import { readStamp, writeStamp } from './stamp.mjs';

export const commonFlags = [
  '-std=c++17',
  '-Wall',
  '-Wextra',
  '-Werror=return-type',
  '-Wno-unused-parameter',
  '-fno-strict-aliasing',
  '-fno-exceptions',
  '-D_FILE_OFFSET_BITS=64',
  `-I${inRoot('csrc')}`,
];

const sanitizers = {
  none: [],
  address: ['-fsanitize=address,undefined', '-fno-omit-frame-pointer', '-fno-sanitize-recover=undefined'],
  thread: ['-fsanitize=thread', '-fno-omit-frame-pointer'],
};

export function sanitizerFlags(name) {
  const flags = sanitizers[name];
  if (flags) return flags;
  throw new PlainError(
    `unknown sanitizer ${JSON.stringify(name)}: choose one of ${Object.keys(sanitizers).join(', ')}`,
  );
}

/** The linker's flags for the calls that these sources stand in front of (csrc/faults/): the names are in them. */
export const wrapFlags = (sources) => wrappedNames(sources).map((name) => `-Wl,--wrap=${name}`);

/** Those calls. */
export function wrappedNames(sources) {
  const names = sources.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/__real_(\w+)|^(?:WRAP\(\w+, |WRAP_\w+\()(\w+),/gm)].map(
      ([, plain, made]) => plain ?? made,
    ),
  );
  return [...new Set(names)];
}

const mtime = (file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Number.POSITIVE_INFINITY;

/** Files that an object was made from, out of the rule that g++ -MMD writes ("object: source header \ header"). */
function dependenciesOf(dependencyFile) {
  const text = readFileSync(dependencyFile, 'utf8').replace(/\\\n/g, ' ');
  return text
    .slice(text.indexOf(':') + 1)
    .split(/\s+/)
    .filter(Boolean)
    .map((file) => path.resolve(root, file));
}

function isCurrent(output, inputs, command) {
  if (!existsSync(output) || readStamp(`${output}.cmd`) !== command) return false;
  const built = mtime(output);
  return inputs.every((input) => mtime(input) <= built);
}

/** What compiles and links: a program, the arguments that come before ours, its environment; `quiet`: only errors. */
const gxx = { program: 'g++', args: [], env: process.env };

async function runStep({ program, args: first, env, quiet }, args, output, title) {
  mkdirSync(path.dirname(output), { recursive: true });
  const { status, output: text } = await runCollecting(program, [...first, ...args], { env });
  if (text.trim() && !(quiet && status === 0)) say(text.trimEnd());
  if (status !== 0) throw new PlainError(`compiling ${title} failed`);
  writeStamp(`${output}.cmd`, args.join(' '));
}

/** Compiles sources into objects below outFolder, in parallel; returns the objects in the order of the sources. */
export async function compileObjects(sources, flags, outFolder, compiler = gxx) {
  const objectOf = (source) => path.join(outFolder, 'obj', `${path.relative(root, source)}.o`);
  await inParallel(sources, os.availableParallelism(), async (source) => {
    const object = objectOf(source);
    const dependencyFile = `${object}.d`;
    const args = [...flags, '-MMD', '-MF', dependencyFile, '-c', source, '-o', object];
    if (existsSync(dependencyFile) && isCurrent(object, dependenciesOf(dependencyFile), args.join(' '))) return;
    say(`build: ${path.relative(root, source)}`);
    await runStep(compiler, args, object, path.relative(root, source));
  });
  return sources.map(objectOf);
}

/**
 * The objects with that of one source replaced: it is made from another text, with the headers of the first
 * (scripts/mutants.mjs).
 *
 * @param {{ source: string, by: string, folder: string } | undefined} change
 */
export async function withChange(objects, sources, flags, change) {
  const index = change === undefined ? -1 : sources.indexOf(change.source);
  if (index < 0) return objects;
  const [object] = await compileObjects([change.by], flags, change.folder);
  return objects.with(index, object);
}

/** Links objects into one program or library, when one of them is newer. */
export async function link(objects, flags, output, compiler = gxx) {
  const args = [...objects, ...flags, '-o', output];
  if (isCurrent(output, objects, args.join(' '))) return;
  await runStep(compiler, args, output, path.relative(root, output));
}
