// Builds csrc/test/*_test.cc, each a program of its own, linked with the engine, the mock backend and the fault points.
//
//   node scripts/build-native-tests.mjs [--sanitize none|address|thread]
import os from 'node:os';
import path from 'node:path';
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { commonFlags, compileObjects, link, sanitizerFlags } from './lib/compile.mjs';
import { engineSources, inRoot, nativeTestSources } from './lib/paths.mjs';
import { inParallel, main } from './lib/run.mjs';

/** Calls of liburing that csrc/test/ring_faults.cc stands in front of. */
export const wrapped = [
  'io_uring_queue_init_params',
  'io_uring_submit',
  'io_uring_submit_and_get_events',
  'io_uring_get_events',
];

/** Builds all programs and returns [{ name, file }]. */
export async function buildNativeTests({ sanitize = 'address' } = {}) {
  const { programs, helpers } = nativeTestSources();
  if (programs.length === 0) return [];
  const outFolder = inRoot('build-test', sanitize);
  const sanitizer = sanitizerFlags(sanitize);
  const flags = ['-g', '-O1', ...commonFlags, '-DIOENGINE_FAULT_POINTS=1', ...sanitizer];
  const shared = await compileObjects([...engineSources(), ...helpers], flags, outFolder);
  const mains = await compileObjects(programs, flags, outFolder);
  const wraps = wrapped.map((name) => `-Wl,--wrap=${name}`);
  const work = programs.map((source, index) => ({
    name: path.basename(source, '.cc'),
    file: path.join(outFolder, path.basename(source, '.cc')),
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
