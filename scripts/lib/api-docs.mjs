// The API reference in docs/api/: what it is made from, and whether it is still that. Made from the declarations that
// programs see, comments included, so a change of code that changes no declaration leaves it current.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { publicTypes } from './bundle.mjs';
import { filesBelow, inRoot, root } from './paths.mjs';

export const apiFolder = inRoot('docs', 'api');
const indexFile = path.join(apiFolder, 'README.md');

const MARK = /\n<!-- digests: (?<types>\w+) (?<pages>\w+) -->\n$/;

function digestOf(files, textOf) {
  const hash = createHash('sha256');
  for (const file of files) hash.update(`${path.relative(root, file)}\0${textOf(file)}\0`);
  return hash.digest('hex').slice(0, 16);
}

const typesDigest = () => {
  const files = [...publicTypes()].sort().map((name) => inRoot('dist', name));
  return digestOf([...files, inRoot('scripts', 'api-docs', 'package.json')], (file) => readFileSync(file, 'utf8'));
};
const pagesDigest = () =>
  digestOf(filesBelow(apiFolder, ['.md']), (file) => readFileSync(file, 'utf8').replace(MARK, ''));

/** The line that makes docs/api/README.md say what it was made from. */
export const markLine = () => `\n<!-- digests: ${typesDigest()} ${pagesDigest()} -->\n`;

/** Why the reference is not what it should be, or undefined. Needs a current dist/. */
export function apiDocsFault() {
  const found = existsSync(indexFile) ? MARK.exec(readFileSync(indexFile, 'utf8')) : null;
  if (found === null) return 'docs/api/README.md is not one that npm run docs:api has written';
  if (found.groups.types !== typesDigest()) return 'the public types or their comments have changed';
  if (found.groups.pages !== pagesDigest()) return 'a page of docs/api/ was changed by hand';
  return undefined;
}
