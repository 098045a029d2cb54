// Builds csrc/test/*_test.cc, each a program of its own, linked with the engine, the mock backend and the fault points.
//
//   node scripts/build-native-tests.mjs [--sanitize none|address|thread]
import os from 'node:os';
import path from 'node:path';
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { commonFlags, compileObjects, link, sanitizerFlags, withChange, wrapFlags } from './lib/compile.mjs';
import { engineSources, inRoot, nativeTestSources } from './lib/paths.mjs';
import { inParallel, main } from './lib/run.mjs';

/**
 * Builds the programs whose name has one of the texts, all without any, and returns [{ name, file }]; with a change of
 * one source (withChange) in its folder.
 */
export async function buildNativeTests({ sanitize = 'address', only = [], change } = {}) {
  const { programs: all, helpers } = nativeTestSources();
  const isWanted = (file) => only.length === 0 || only.some((text) => path.basename(file, '.cc').includes(text));
  const programs = all.filter(isWanted);
  if (programs.length === 0) return [];
  const outFolder = inRoot('build-test', sanitize);
  const sanitizer = sanitizerFlags(sanitize);
  const flags = ['-g', '-O1', ...commonFlags, '-DIOENGINE_FAULT_POINTS=1', ...sanitizer];
  const sources = [...engineSources(), ...helpers];
  const shared = await withChange(await compileObjects(sources, flags, outFolder), sources, flags, change);
  const mains = await compileObjects(programs, flags, outFolder);
  const wraps = wrapFlags(sources);
  const work = programs.map((source, index) => ({
    name: path.basename(source, '.cc'),
    file: path.join(change?.folder ?? outFolder, path.basename(source, '.cc')),
    main: mains[index],
  }));
  await inParallel(work, os.availableParallelism(), ({ main: object, file }) =>
    link([object, ...shared], [...sanitizer, ...wraps, '-l:liburing.a', '-lpthread'], file),
  );
  return work.map(({ name, file }) => ({ name, file }));
}

if (realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const at = process.argv.indexOf('--sanitize');
  await main(() => buildNativeTests(at < 0 ? {} : { sanitize: process.argv[at + 1] }));
}
