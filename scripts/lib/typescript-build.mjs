// Compiles src/ to dist/ when it changed: .ts to CommonJS, .mts to the ES modules beside it, then all of it into few
// files.
import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import { bundle, isBundled } from './bundle.mjs';
import { filesBelow, inRoot, root } from './paths.mjs';
import { PlainError, runLoudly, say } from './run.mjs';
import { digestOf, readStamp, writeStamp } from './stamp.mjs';

const sources = () => filesBelow(inRoot('src'), ['.ts', '.mts']);
const stampFile = inRoot('dist', '.stamp');
const digest = () => {
  const tools = [inRoot('tsconfig.json'), inRoot('package-lock.json'), inRoot('scripts', 'lib', 'bundle.mjs')];
  return digestOf([...sources(), ...tools], [process.version]);
};

export const typescriptIsCurrent = () => sources().length === 0 || (readStamp(stampFile) === digest() && isBundled());

const tsc = () => {
  const file = inRoot('node_modules', 'typescript', 'bin', 'tsc');
  if (!existsSync(file)) throw new PlainError('TypeScript is not installed: run npm ci');
  return file;
};

const compile = (options) => runLoudly(process.execPath, [tsc(), '--project', 'tsconfig.json', ...options]);

/** What tsc should have written for a source; everything else in dist/ is left over from a source that is gone. */
function outputsOf(source) {
  const relative = path.relative(inRoot('src'), source);
  if (relative.endsWith('.d.ts') || relative.endsWith('.d.mts')) return [];
  const base = inRoot('dist', relative.replace(/\.m?ts$/, ''));
  return relative.endsWith('.mts') ? [`${base}.mjs`, `${base}.d.mts`] : [`${base}.js`, `${base}.d.ts`];
}

function removeLeftovers() {
  const wanted = new Set(sources().flatMap(outputsOf));
  for (const file of filesBelow(inRoot('dist'), ['.js', '.mjs', '.ts', '.mts'])) {
    if (!wanted.has(file)) rmSync(file);
  }
}

export function buildTypescript({ rebuild = false } = {}) {
  if (sources().length === 0) {
    say('build: src/ has no sources yet, nothing to compile');
    return;
  }
  if (!rebuild && typescriptIsCurrent()) return;
  const before = digest();
  say('build: compiling TypeScript');
  // Comments are for those who read types. What is loaded at run time has none: it is read and compiled at start-up.
  compile(['--emitDeclarationOnly']);
  compile(['--declaration', 'false', '--removeComments']);
  removeLeftovers();
  bundle();
  writeStamp(stampFile, before);
}

export function checkTypes() {
  if (sources().length === 0) {
    say('typecheck: src/ has no sources yet, nothing to check');
    return;
  }
  runLoudly(process.execPath, [tsc(), '--project', path.relative(root, inRoot('tsconfig.json')), '--noEmit']);
}
