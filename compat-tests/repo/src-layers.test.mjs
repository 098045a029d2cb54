// The layers of src/: a folder imports only folders below it, no file reaches itself through imports, no value is
// exported that nothing uses, and none under the name of another. A require inside a function counts as an import does.
// Red with an import that points up, a circle of files, an export that has lost its last user, or a name that two files
// export.
import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { inRoot, root } from '../../scripts/lib/paths.mjs';
import { removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';
import {
  circlesOf,
  edgesAcross,
  entryPoints,
  foldersInTable,
  programFolders,
  readByTests,
  srcFolders,
  upwardEdges,
} from './support/layers.mjs';
import { closeCompiler, edgesOf, namesakes, readModules, unusedExports } from './support/modules.mjs';
import { sources, textOf } from './support/sources.mjs';

after(closeCompiler);

const folderOf = (name) => (name.includes('/') ? name.split('/')[0] : '');
const isPublic = (name) => [...entryPoints, ...readByTests].includes(name);
/** Entry points export what programs get; the functions of node's own names are node's. */
const mayBeNamesakes = (file, name) => isPublic(file) || name in fs || name in fs.promises;

describe('repo: layers of src/', () => {
  let modules;
  before(() => {
    modules = readModules(root, inRoot('src'));
  });

  it('has no folder that is not in the list, and the README has the list', () => {
    const folders = new Set(modules.map(({ name }) => folderOf(name)).filter((folder) => folder !== ''));
    const listed = [...programFolders, ...srcFolders];
    expect([...folders].sort()).to.deep.equal([...listed].sort());
    expect(foldersInTable(textOf('src/README.md'))).to.deep.equal(listed);
  });

  it('imports from the same folder or from below', () => {
    const library = edgesOf(modules).filter(({ from }) => !programFolders.includes(folderOf(from)));
    expect(upwardEdges(library, srcFolders)).to.deep.equal([]);
  });

  it('has programs that use the entry points and nothing else, and that nothing uses', () => {
    expect(
      edgesOf(modules).some(({ from, to }) => programFolders.includes(folderOf(from)) && to === 'index.ts'),
    ).to.equal(true);
    expect(edgesAcross(edgesOf(modules))).to.deep.equal([]);
  });

  it('has no circle of imports', () => {
    expect(circlesOf(edgesOf(modules))).to.deep.equal([]);
  });

  it('exports no value that no other file uses', () => {
    expect(unusedExports(modules, isPublic)).to.deep.equal([]);
  });

  it('exports no value under one name from two files, but for functions of node:fs', () => {
    expect(namesakes(modules, mayBeNamesakes)).to.deep.equal([]);
  });

  it('loads the addon in src/native only', () => {
    const found = sources
      .filter(({ name }) => name.startsWith('src/') && !name.startsWith('src/native/'))
      .filter(({ text }) => /\.node['"`]|process\.dlopen|bindings\(/.test(text))
      .map(({ name }) => name);
    expect(found).to.deep.equal([]);
  });
});

// Each rule on a tree that breaks it.
describe('repo: the rules of src/ turn red', () => {
  const compilerOptions = { module: 'node16', types: [] };

  function parse(files) {
    const folder = temporaryDirectory();
    try {
      fs.writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['src'] }));
      for (const [name, text] of Object.entries(files)) {
        fs.mkdirSync(path.join(folder, 'src', path.dirname(name)), { recursive: true });
        fs.writeFileSync(path.join(folder, 'src', name), text);
      }
      return readModules(folder, path.join(folder, 'src'));
    } finally {
      removeDirectory(folder);
    }
  }

  const upward = (files) => upwardEdges(edgesOf(parse(files)), ['top', 'bottom']);
  const circles = (files) => circlesOf(edgesOf(parse(files)));
  const unused = (files) => unusedExports(parse(files), (name) => name === 'entry');

  it('for an import that points up, in each of its forms', () => {
    const top = 'export const a = 1; export type T = number;';
    const edge = ['bottom/b.ts -> top/a.ts'];
    for (const text of [
      "import { a } from '../top/a'; a;",
      "import type { T } from '../top/a'; export type U = T;",
      "export { a } from '../top/a';",
      "import a = require('../top/a'); a;",
      "const lazy = () => require('../top/a'); lazy;",
      "const later = import('../top/a'); later;",
      "export type V = import('../top/a').T;",
    ]) {
      expect(upward({ 'top/a.ts': top, 'bottom/b.ts': text }), text).to.deep.equal(edge);
    }
    const down = "import { a } from '../bottom/a'; // '../top/b'\nconst s = \"require('../top/b')\"; s; a;";
    expect(upward({ 'bottom/a.ts': top, 'top/b.ts': down })).to.deep.equal([]);
  });

  it('for a folder below that imports an entry point', () => {
    const files = { 'entry.ts': 'export const a = 1;', 'top/b.ts': "import { a } from '../entry'; a;" };
    expect(upward(files)).to.deep.equal(['top/b.ts -> entry.ts']);
  });

  it('for a program that looks behind the entry points, and for a library that uses a program', () => {
    const across = (files) => edgesAcross(edgesOf(parse(files)));
    const b = 'export const b = 1;';
    const inside = { 'cli/a.ts': "import { b } from '../engine/b'; b;", 'engine/b.ts': b };
    expect(across(inside)).to.deep.equal(['cli/a.ts -> engine/b.ts']);
    const lazy = { 'cli/a.ts': b, 'index.ts': "const load = () => require('./cli/a'); load;" };
    expect(across(lazy)).to.deep.equal(['index.ts -> cli/a.ts']);
    const good = { 'cli/a.ts': "import { b } from '../index'; import './c'; b;", 'cli/c.ts': b, 'index.ts': b };
    expect(across(good)).to.deep.equal([]);
  });

  it('for a circle, also where one of its imports waits inside a function', () => {
    const a = "import { b } from './b'; export const a = () => b;";
    const b = "import { c } from './c'; export const b = () => c;";
    const c = "export const c = () => (require('./a') as typeof import('./a')).a;";
    expect(circles({ 'a.ts': a, 'b.ts': b, 'c.ts': c })).to.deep.equal([['a.ts', 'b.ts', 'c.ts']]);
    expect(circles({ 'a.ts': a, 'b.ts': b, 'c.ts': 'export const c = 1;' })).to.deep.equal([]);
  });

  it('for an export that nothing uses, and for none that is used', () => {
    const a =
      'export const used = 1; export let left = used; export type T = 1; export function f() {} export class C {}';
    const users = {
      "import { used, f, C } from './a'; used; f(); C;": ['a.ts: left'],
      "const { used, f: g } = require('./a') as typeof import('./a'); used; g;": ['a.ts: left', 'a.ts: C'],
      "const load = () => require('./a') as typeof import('./a'); load().f(); load().C;": ['a.ts: used', 'a.ts: left'],
      "import * as a from './a'; a.left; a.C;": ['a.ts: used', 'a.ts: f'],
      "import * as a from './a'; Object.keys(a);": [],
      "export { used } from './a';": ['a.ts: left', 'a.ts: f', 'a.ts: C'],
    };
    for (const [text, expected] of Object.entries(users)) {
      expect(unused({ 'a.ts': a, 'entry.ts': text }), text).to.deep.equal(expected);
    }
  });

  it('for two values of one name, and not for one that is handed on', () => {
    const same = (files) => namesakes(parse(files), (_file, name) => name === 'readFile');
    const a = 'export const one = 1; export const readFile = 1; export type T = 1;';
    expect(same({ 'a.ts': a, 'b.ts': a })).to.deep.equal(['one: a.ts, b.ts']);
    expect(same({ 'a.ts': a, 'b.ts': "export { one } from './a';" })).to.deep.equal([]);
    expect(same({ 'a.ts': a, 'b.ts': "import { one } from './a'; export { one };" })).to.deep.equal([]);
  });

  it('for a table of folders in another order', () => {
    expect(foldersInTable('| folder | job |\n| --- | --- |\n| `b/` | x |\n| `a/` | y |\n')).to.deep.equal(['b', 'a']);
  });
});
