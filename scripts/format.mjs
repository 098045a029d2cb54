// npm run format / format:check: Biome for JavaScript, TypeScript and JSON, clang-format for C++ and C.
// --write changes the files. --strict (CI) makes a missing clang-format a failure instead of a printed line.
import { filesBelow, inRoot } from './lib/paths.mjs';
import { findProgram, main, PlainError, runLoudly, runQuietly, say } from './lib/run.mjs';

// Line breaking differs between major versions; this is the one that Debian 12 ships.
const clangFormatMajor = '14';
const write = process.argv.includes('--write');
const strict = process.argv.includes('--strict');

function clangFormat() {
  for (const name of [`clang-format-${clangFormatMajor}`, 'clang-format']) {
    const found = findProgram(name);
    const version = found && /version (\d+)/.exec(runQuietly(found, ['--version']).stdout)?.[1];
    if (version === clangFormatMajor) return found;
  }
  return undefined;
}

function formatNative() {
  const files = ['csrc', 'bench', 'compat-tests'].flatMap((folder) => filesBelow(inRoot(folder), ['.cc', '.h', '.c']));
  if (files.length === 0) return;
  const tool = clangFormat();
  if (!tool) {
    const line = `clang-format ${clangFormatMajor} was not found (Debian: apt-get install clang-format)`;
    if (strict) throw new PlainError(line);
    say(`format: C and C++ skipped, because ${line}`);
    return;
  }
  runLoudly(tool, write ? ['-i', ...files] : ['--dry-run', '--Werror', ...files]);
}

function formatScripts() {
  const biome = inRoot('node_modules', '.bin', 'biome');
  runLoudly(biome, write ? ['format', '--write'] : ['format', '--max-diagnostics=none']);
}

await main(() => {
  // Both are run, so that one run shows everything there is to fix.
  const faults = [];
  for (const format of [formatScripts, formatNative]) {
    try {
      format();
    } catch (error) {
      if (!(error instanceof PlainError)) throw error;
      faults.push(error.message.slice(0, 200));
    }
  }
  if (faults.length > 0) throw new PlainError(`${faults.join('; ')}; npm run format repairs it`);
});
