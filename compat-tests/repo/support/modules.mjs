// What the modules of a TypeScript project import, export and use of each other, as the compiler parses them: comments,
// strings and types do not confuse it, and a require inside a function is seen like an import at the top.
import path from 'node:path';
import { isInterfaceDeclaration, isTypeAliasDeclaration, SyntaxKind } from 'typescript/unstable/ast';
import { API } from 'typescript/unstable/sync';
import { root } from '../../../scripts/lib/paths.mjs';

/**
 * @typedef {object} Import
 * @property {string} specifier as it is written
 * @property {string | undefined} target the file of the project that it leads to
 * @property {boolean} isType nothing is left of it at run time
 * @property {string[] | 'all'} names what is used of the module
 *
 * @typedef {object} Module
 * @property {string} name relative to the folder of the sources
 * @property {Import[]} imports
 * @property {{ name: string, isType: boolean, isOwn: boolean }[]} exports `isOwn`: made here, not handed on
 * @property {import('typescript/unstable/ast').SourceFile} syntax
 */

/** Every node below one, itself included. */
export function* walk(node) {
  yield node;
  const children = [];
  node.forEachChild((child) => {
    children.push(child);
  });
  for (const child of children) yield* walk(child);
}

const has = (node, kind) => node.modifiers?.some((modifier) => modifier.kind === kind) ?? false;
const isExported = (node) => has(node, SyntaxKind.ExportKeyword);

/** Names that a binding declares: `a`, `{ a, b: c }`, `[a]`. */
const boundNames = (name) =>
  name.kind === SyntaxKind.Identifier ? [name.text] : name.elements.flatMap((element) => boundNames(element.name));

/** What `export` in front of a statement makes visible. */
function namesDeclared(statement) {
  if (statement.kind === SyntaxKind.VariableStatement) {
    return statement.declarationList.declarations.flatMap(({ name }) => boundNames(name));
  }
  if (has(statement, SyntaxKind.DefaultKeyword)) return ['default'];
  return statement.name === undefined ? [] : [statement.name.text];
}

const importedNames = (file) =>
  file.statements
    .filter(({ kind }) => kind === SyntaxKind.ImportDeclaration)
    .flatMap(({ importClause }) => importClause?.namedBindings?.elements ?? [])
    .map(({ name }) => name.text);

function exportsOf(file) {
  const found = [];
  const imported = importedNames(file);
  for (const statement of file.statements) {
    if (statement.kind === SyntaxKind.ExportDeclaration) {
      for (const { name, propertyName, isTypeOnly } of statement.exportClause?.elements ?? []) {
        const isOwn = statement.moduleSpecifier === undefined && !imported.includes((propertyName ?? name).text);
        found.push({ name: name.text, isType: statement.isTypeOnly || isTypeOnly, isOwn });
      }
    } else if (isExported(statement)) {
      const isType = isInterfaceDeclaration(statement) || isTypeAliasDeclaration(statement);
      for (const name of namesDeclared(statement)) found.push({ name, isType, isOwn: true });
    }
  }
  return found;
}

/** Out of `x as T` and `(x)`: the expression that has the value of this one. */
function outermost(node) {
  const { parent } = node;
  const passesOn = [SyntaxKind.AsExpression, SyntaxKind.ParenthesizedExpression, SyntaxKind.SatisfiesExpression];
  return passesOn.includes(parent.kind) ? outermost(parent) : node;
}

const propertyNames = (pattern) =>
  pattern.elements.some((element) => element.dotDotDotToken)
    ? 'all'
    : pattern.elements.map(({ name, propertyName }) => (propertyName ?? name).text);

const together = (lists) => (lists.includes('all') ? 'all' : lists.flat());

/** What is used of a value, looking at the place where it stands. */
function namesTaken(expression, file) {
  const value = outermost(expression);
  const { parent } = value;
  if (parent.kind === SyntaxKind.PropertyAccessExpression) return [parent.name.text];
  if (parent.kind === SyntaxKind.QualifiedName) return [parent.right.text];
  if (parent.kind === SyntaxKind.ExpressionStatement) return [];
  if (parent.kind === SyntaxKind.VariableDeclaration) {
    return parent.name.kind === SyntaxKind.ObjectBindingPattern
      ? propertyNames(parent.name)
      : namesOf(parent.name, file);
  }
  // const load = () => require('./module')
  const isResult = parent.kind === SyntaxKind.ArrowFunction && parent.body === value;
  if (isResult && parent.parent.kind === SyntaxKind.VariableDeclaration) return namesOf(parent.parent.name, file, true);
  return 'all';
}

/** What a file uses of the value that a variable has, or of the one that calling it answers. */
function namesOf(variable, file, isCalled = false) {
  const uses = [];
  for (const node of walk(file)) {
    if (node.kind !== SyntaxKind.Identifier || node.text !== variable.text || node === variable) continue;
    if (node.parent.kind === SyntaxKind.PropertyAccessExpression && node.parent.name === node) continue;
    // Another function's variable of that name.
    if (node.parent.kind === SyntaxKind.VariableDeclaration && node.parent.name === node) continue;
    const isCall = node.parent.kind === SyntaxKind.CallExpression && node.parent.expression === node;
    uses.push(isCalled && !isCall ? 'all' : namesTaken(isCalled ? node.parent : node, file));
  }
  return together(uses);
}

function importOfDeclaration({ importClause, moduleSpecifier }, file) {
  const specifier = moduleSpecifier.text;
  if (importClause === undefined) return { specifier, isType: false, names: [] };
  const { name, namedBindings } = importClause;
  const isType = importClause.phaseModifier === SyntaxKind.TypeKeyword || importClause.isTypeOnly === true;
  if (namedBindings?.kind === SyntaxKind.NamespaceImport) {
    return { specifier, isType, names: namesOf(namedBindings.name, file) };
  }
  const elements = namedBindings?.elements ?? [];
  const names = elements.map((element) => (element.propertyName ?? element.name).text);
  const hasValue = name !== undefined || elements.length === 0 || elements.some((element) => !element.isTypeOnly);
  return { specifier, isType: isType || !hasValue, names: name === undefined ? names : ['default', ...names] };
}

function isRequireCall({ kind, expression, arguments: list }) {
  if (kind !== SyntaxKind.CallExpression || list[0]?.kind !== SyntaxKind.StringLiteral) return false;
  return expression.text === 'require' || expression.kind === SyntaxKind.ImportKeyword;
}

/** The import that a node is, if it is one. */
function importOf(node, file) {
  if (node.kind === SyntaxKind.ImportDeclaration) return importOfDeclaration(node, file);
  if (node.kind === SyntaxKind.ExportDeclaration && node.moduleSpecifier !== undefined) {
    const elements = node.exportClause?.elements;
    const names = elements?.map(({ name, propertyName }) => (propertyName ?? name).text) ?? 'all';
    return { specifier: node.moduleSpecifier.text, isType: node.isTypeOnly, names };
  }
  if (node.kind === SyntaxKind.ImportEqualsDeclaration) {
    if (node.moduleReference.kind !== SyntaxKind.ExternalModuleReference) return undefined;
    const names = namesOf(node.name, file);
    return { specifier: node.moduleReference.expression.text, isType: node.isTypeOnly, names };
  }
  if (node.kind === SyntaxKind.ImportType) {
    return { specifier: node.argument.literal.text, isType: true, names: [] };
  }
  if (isRequireCall(node)) {
    return { specifier: node.arguments[0].text, isType: false, names: namesTaken(node, file) };
  }
  return undefined;
}

/** `./open` and `./open.js` of one file are open.ts; `./fs.js` of an .mts file is fs.ts. */
function resolved(specifier, from, names) {
  if (!specifier.startsWith('.')) return undefined;
  const plain = path.posix.join(path.posix.dirname(from), specifier).replace(/\.js$/, '');
  return [`${plain}.ts`, `${plain}.mts`, plain.replace(/\.mjs$/, '.mts')].find((name) => names.has(name));
}

function moduleOf(name, syntax, names) {
  const imports = [];
  for (const node of walk(syntax)) {
    const found = importOf(node, syntax);
    if (found !== undefined) imports.push({ ...found, target: resolved(found.specifier, name, names) });
  }
  return { name, imports, exports: exportsOf(syntax), syntax };
}

/** One process of the compiler for all projects: to start it takes longer than to parse this one. */
let compiler;

/** Ends the process of the compiler. */
export function closeCompiler() {
  compiler?.close();
  compiler = undefined;
}

/**
 * The modules of a project, parsed.
 *
 * @param {string} folder where its tsconfig.json is
 * @param {string} sources the folder that names are relative to
 * @returns {Module[]}
 */
export function readModules(folder, sources) {
  compiler ??= new API({ cwd: root });
  const config = path.join(folder, 'tsconfig.json');
  const snapshot = compiler.updateSnapshot({ openProjects: [config] });
  const project = snapshot.getProjects().find(({ configFileName }) => configFileName === config);
  const names = new Set(project.rootFiles.map((file) => path.relative(sources, file)));
  const modules = [...names]
    .sort()
    .map((name) => moduleOf(name, project.program.getSourceFile(path.join(sources, name)), names));
  compiler.updateSnapshot({ closeProjects: [config] });
  return modules;
}

/** Imports between modules: types too, unless only those are asked for that are left at run time. */
export const edgesOf = (modules, { types = true } = {}) =>
  modules.flatMap(({ name, imports }) =>
    imports
      .filter(({ target, isType }) => target !== undefined && (types || !isType))
      .map(({ target }) => ({ from: name, to: target })),
  );

const withoutEnding = (name) => name.replace(/\.m?ts$/, '');

/** Values, types aside, that a module exports and no other one uses. */
export function unusedExports(modules, isPublic) {
  const imports = modules.flatMap((module) => module.imports);
  return modules
    .filter(({ name }) => !isPublic(withoutEnding(name)))
    .flatMap(({ name, exports }) => {
      const used = together(imports.filter(({ target }) => target === name).map(({ names }) => names));
      if (used === 'all') return [];
      return exports.filter((one) => !one.isType && !used.includes(one.name)).map((one) => `${name}: ${one.name}`);
    });
}

/** Values that two modules export under one name; what one only hands on from the other is the same value. */
export function namesakes(modules, isAllowed) {
  const owners = new Map();
  for (const { name, exports } of modules) {
    for (const one of exports) {
      if (one.isType || !one.isOwn || isAllowed(withoutEnding(name), one.name)) continue;
      owners.set(one.name, new Set([...(owners.get(one.name) ?? []), name]));
    }
  }
  return [...owners].filter(([, names]) => names.size > 1).map(([name, names]) => `${name}: ${[...names].join(', ')}`);
}

const FUNCTIONS = new Set([
  SyntaxKind.FunctionDeclaration,
  SyntaxKind.FunctionExpression,
  SyntaxKind.ArrowFunction,
  SyntaxKind.MethodDeclaration,
  SyntaxKind.Constructor,
  SyntaxKind.GetAccessor,
  SyntaxKind.SetAccessor,
]);

/** Functions with more lines than that, from the line of the name to the closing brace, as "file:line, n lines". */
export function longFunctions(modules, linesMax) {
  return modules.flatMap(({ name, syntax }) => {
    const lineOf = (offset) => syntax.text.slice(0, offset).split('\n').length;
    return [...walk(syntax)]
      .filter(({ kind }) => FUNCTIONS.has(kind))
      .map((node) => ({ first: lineOf(node.getStart()), last: lineOf(node.end) }))
      .filter(({ first, last }) => last - first + 1 > linesMax)
      .map(({ first, last }) => `${name}:${first}, ${last - first + 1} lines`);
  });
}
