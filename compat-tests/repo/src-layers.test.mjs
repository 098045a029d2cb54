// The layers of src/: a folder imports only folders below it, no file reaches itself through imports, and no value is
// exported that nothing uses (src/README.md). A require inside a function counts as an import does. Turns red with an
// import that points up, a circle of files, an export that has lost its last user, or a name that two files export.
import fs, { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { filesBelow, inRoot } from '../../scripts/lib/paths.mjs';

const src = inRoot('src');

/** From top to bottom; '' has the entry points. */
const layers = [
  '',
  'types',
  'functions',
  'file-handle',
  'streams',
  'descriptor',
  'modules',
  'engine',
  'node',
  'native',
];
const entries = ['fs', 'promises', 'index', 'register', 'surface'];

const withoutComments = (text) => text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');

const files = filesBelow(src, ['.ts', '.mts']).map((file) => ({
  name: path.relative(src, file).replace(/\.ts$/, ''),
  text: readFileSync(file, 'utf8'),
}));
const tests = filesBelow(inRoot('compat-tests'), ['.mjs']).map((file) => ({ text: readFileSync(file, 'utf8') }));
const names = new Set(files.map(({ name }) => name));
const folderOf = (name) => (name.includes('/') ? name.split('/')[0] : '');

/** What a file imports of src/, each with whether types alone come from there. */
function importsOf({ name, text }) {
  const found = withoutComments(text).matchAll(
    /(?<statement>(?:\bimport\b|\bexport\b)[^'"`;]*?\bfrom\s+|\bimport\s+|\bimport\s*\(\s*|\brequire\(\s*)(['"])(?<to>\.[^'"]+)\2/g,
  );
  return [...found].flatMap(({ groups }) => {
    const target = path.posix.join(path.posix.dirname(name), groups.to.replace(/\.js$/, ''));
    return names.has(target) ? [{ target, statement: groups.statement }] : [];
  });
}

const graph = new Map(files.map((file) => [file.name, importsOf(file)]));

describe('repo: layers of src/', () => {
  it('has no folder that is not in the list', () => {
    expect([...new Set(files.map(({ name }) => folderOf(name)))].filter((folder) => !layers.includes(folder))).to.be
      .empty;
  });

  it('loads the addon in src/native only', () => {
    const found = files
      .filter(({ name, text }) => !name.startsWith('native/') && /\.node['"`]|process\.dlopen|bindings\(/.test(text))
      .map(({ name }) => name);
    expect(found).to.deep.equal([]);
  });

  it('imports from the same folder or from below', () => {
    const found = [...graph].flatMap(([name, imports]) =>
      imports
        .filter(({ target }) => layers.indexOf(folderOf(target)) < layers.indexOf(folderOf(name)))
        .map(({ target }) => `${name} imports ${target}`),
    );
    expect(found).to.deep.equal([]);
  });

  it('has no circle of imports', () => {
    const circles = [];
    const done = new Set();
    const visit = (name, way) => {
      if (way.includes(name)) circles.push([...way.slice(way.indexOf(name)), name].join(' -> '));
      if (done.has(name) || way.includes(name)) return;
      for (const { target } of graph.get(name)) visit(target, [...way, name]);
      done.add(name);
    };
    for (const name of graph.keys()) visit(name, []);
    expect(circles).to.deep.equal([]);
  });

  // The entry points export what programs get, and node's own names there are node's.
  const values = files
    .filter(({ name }) => !entries.includes(name) && !name.endsWith('.mts') && !name.startsWith('types/'))
    .flatMap((file) =>
      [
        ...withoutComments(file.text).matchAll(
          /^export (?:async function|function|const|let|class|abstract class|enum) (\w+)/gm,
        ),
      ].map(([, value]) => ({ file, value })),
    );

  it('exports no value that no other file and no test uses', () => {
    const isUsed = ({ file, value }) =>
      [...files, ...tests].some(
        (other) => other !== file && new RegExp(`\\b${value}\\b`).test(withoutComments(other.text)),
      );
    expect(values.filter((each) => !isUsed(each)).map(({ file, value }) => `${file.name}: ${value}`)).to.deep.equal([]);
  });

  it('exports no value under one name from two files, but for functions of node:fs', () => {
    const twice = values
      .filter(({ value }) => !(value in fs))
      .filter(({ file, value }) => values.some((other) => other.value === value && other.file !== file))
      .map(({ file, value }) => `${value}: ${file.name}`);
    expect(twice.sort()).to.deep.equal([]);
  });
});
