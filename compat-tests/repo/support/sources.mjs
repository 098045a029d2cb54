// The files that the rules about sources and prose are for, with their texts.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { filesBelow, inRoot, root } from '../../../scripts/lib/paths.mjs';

const FOLDERS = ['csrc', 'src', 'compat-tests', 'bench', 'scripts', 'docs', 'examples'];
// CHANGELOG.md says what was, in the words of its day.
const DOCUMENTS = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'UPGRADING.md'];
const ENDINGS = ['.cc', '.h', '.c', '.def', '.ts', '.mts', '.cts', '.mjs', '.cjs', '.md'];

/** Every file of the repository that a path in a comment may mean, by its name from the root. */
export const repositoryFiles = [
  ...FOLDERS.flatMap((folder) => filesBelow(inRoot(folder), [''])),
  ...filesBelow(inRoot('.ci'), ['']),
]
  .map((file) => path.relative(root, file))
  .concat(DOCUMENTS, 'CHANGELOG.md', 'LICENSE', 'binding.gyp', 'package.json', 'biome.json', 'tsconfig.json');

/** Written by typedoc, in its words and columns; what it is written from is read. */
const isGenerated = (name) => name.startsWith('docs/api/');

/** @type {{ name: string, text: string }[]} */
export const sources = repositoryFiles
  .filter((name) => !isGenerated(name))
  .filter((name) => DOCUMENTS.includes(name) || (name.includes('/') && ENDINGS.some((ending) => name.endsWith(ending))))
  .map((name) => ({ name, text: readFileSync(inRoot(name), 'utf8') }));

export const textOf = (name) => readFileSync(inRoot(name), 'utf8');
