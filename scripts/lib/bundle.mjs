// Puts what tsc wrote for src/ into few files, because finding and reading a file costs an import more than running it:
//
//   dist/fs.js, dist/fs.mjs   the eager modules: fs.ts, promises.ts and all that they require at the top
//   dist/register.js          the same for register.ts
//   dist/rest.js              the others; each is compiled when a call first needs it
//   dist/index.js, dist/promises.js, dist/promises.mjs   ways into these
//   dist/cli.js, dist/top-preload.js   the command, and what it loads into programs: above all of these
//   dist/bundled/*.mjs        what bundlers get: names, and a way to the installed package (src/installed.ts)
//
// Each module stays a function of its own that is called once; its requires become look-ups in the bundle. Types stay
// as tsc wrote them, one .d.ts for each source; those that no public type leads to are removed.
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { filesBelow, inRoot } from './paths.mjs';
import { PlainError } from './run.mjs';

const MARK = '// Bundled from src/ by scripts/lib/bundle.mjs.';

const fileOf = (name, ending) => inRoot('dist', `${name}${ending}`);
const read = (name, ending = '.js') => readFileSync(fileOf(name, ending), 'utf8');
const write = (name, ending, text) => writeFileSync(fileOf(name, ending), text);

/** False after tsc alone: its files work as well, but there are many. */
export const isBundled = () => existsSync(fileOf('fs', '.js')) && read('fs').includes(MARK);

const ANY_REQUIRE = /\brequire\((["'])(?<to>\.[^"']*)\1\)/g;
/** How tsc writes an import. A require inside a function is one that waits for its first use. */
const IMPORT = /^(?:const \w+ = )?require\("(?<to>\.[^"]*)"\);$/gm;

const targetOf = (name, specifier) => path.posix.join(path.posix.dirname(name), specifier);

/** What is outside of a bundle, and reached through a file of its own. */
const ENTRIES = ['fs', 'promises', 'index'];

/** The modules that `names` lead to by requires of one form, themselves included; what is imported comes first. */
function reachable(names, form, outside = []) {
  const found = new Set();
  const visit = (name) => {
    if (found.has(name) || outside.includes(name)) return;
    found.add(name);
    for (const { groups } of read(name).matchAll(form)) visit(targetOf(name, groups.to));
  };
  for (const name of names) visit(name);
  return [...found].reverse();
}

/** `export * from 'node:fs'` is there for the types: the entry points replace their exports as a whole. */
const EXPORTED_FOR_TYPES = /^__exportStar\(require\("node:[\w/]+"\), exports\);$/m;

/** A module's text with its requires turned into look-ups, and `__dirname` still its own. */
function relinked(name) {
  const folder = path.posix.dirname(name);
  return read(name)
    .replace(EXPORTED_FOR_TYPES, '')
    .replace(ANY_REQUIRE, (_all, _quote, specifier) => `$load('${targetOf(name, specifier)}')`)
    .replaceAll('__dirname', folder === '.' ? '__dirname' : `(__dirname + '/${folder}')`);
}

const bodyOf = (name) => `\n${relinked(name).trimEnd()}\n`;
const headOf = (name) => `'${name}': function (exports, module) {`;

/** In parentheses a function is compiled with its file; otherwise when it is called. */
function definitionsOf(names, { compiled }) {
  const entries = names.map((name) => {
    const text = `${headOf(name)}${bodyOf(name)}}`;
    return `${compiled ? `${text.replace(' ', ' (')})` : text},\n`;
  });
  return `const definitions = {\n${entries.join('')}};\nconst definitionOf = (name) => definitions[name];\n`;
}

const LOADER = `
const loaded = {};
function $load(name) {
  const known = loaded[name] ?? loadedElsewhere(name);
  if (known !== undefined) return known.exports;
  const definition = definitionOf(name);
  if (definition === undefined) return elsewhere(name);
  const module = { exports: {} };
  loaded[name] = module;
  try {
    definition(module.exports, module);
  } catch (error) {
    delete loaded[name];
    throw error;
  }
  return module.exports;
}
`;

// A module that fs.js and register.js both hold exists once, in the one that was first to load it.
const sharingWith = (other) => `
$load.loaded = loaded;
const loadedElsewhere = (name) => cache[folder + '/${other}']?.$load?.loaded[name];
`;

// No bundler gives the module object of a file that it has taken in a name.
const IS_BUNDLED = 'module.filename === undefined';
const INSTALLED = "require('./installed.js').installed";

/** A CommonJS entry point: where a bundler has taken it in, it is the installed one. */
const entryOf = (file, text) =>
  `'use strict';\n${MARK}\nif (${IS_BUNDLED}) {\nmodule.exports = ${INSTALLED}('${file}');\n} else {\n${text}}\n`;

const REST_LOADER = `${LOADER}
const loadedElsewhere = () => undefined;
let elsewhere;
module.exports = { $load, meet: (other) => (elsewhere ??= other) };
`;

/** What rest.js ends with: where in it each module is, in bytes, and in how many lines. */
const PLACES = '// Places: ';

function placesIn(text, names) {
  if (/[^\0-\x7f]/.test(text)) throw new PlainError('dist/rest.js has a character that is not ASCII: find it in src/');
  const places = names.map((name) => {
    const start = text.indexOf(headOf(name)) + headOf(name).length;
    return [name, [start, start + bodyOf(name).length, text.slice(0, start).split('\n').length - 1]];
  });
  return `${PLACES}${JSON.stringify(Object.fromEntries(places))}\n`;
}

// To compile all of rest.js takes longer than a call and all that it needs. So only the modules that are needed are,
// each out of the bytes of the file.
const PIECEMEAL = `
function loadPiecemeal(bytes, file) {
  const Module = builtin('node:module');
  const { compileFunction } = builtin('node:vm');
  const places = JSON.parse(bytes.latin1Slice(bytes.lastIndexOf('${PLACES}') + ${PLACES.length}));
  const module = Object.assign(new Module(file), { filename: file, loaded: true });
  const parameters = ['exports', 'module', '$load', 'require', '__dirname'];
  function definitionOf(name) {
    if (!Object.hasOwn(places, name)) return undefined;
    const [start, end, lineOffset] = places[name];
    const run = compileFunction(bytes.latin1Slice(start, end), parameters, { filename: file, lineOffset });
    return (exports, module) => run(exports, module, $load, builtin, folder);
  }
${REST_LOADER}
  return module;
}
`;

/**
 * How fs.js and fs.mjs get rest.js. The module loader is asked where it is somebody else's (a test runner's), in
 * another context than the main one, on Bun and Deno, and where a bundler has taken in both files.
 *
 * @param {string} byLoader code that asks it
 */
const restOf = (byLoader) => `${PIECEMEAL}
function requireRest() {
  const file = folder + '/rest.js';
  const known = cache[file] ?? readRest(file);
  if (known !== undefined) return known.exports;
  ${byLoader}
}
function readRest(file) {
  const { nodeFs, OTHER_RUNTIME } = $load('node/fs');
  const Module = builtin('node:module');
  if (OTHER_RUNTIME !== undefined || cache !== Module._cache || !(Module instanceof Object)) return undefined;
  let bytes;
  try {
    bytes = nodeFs.readFileSync(file);
  } catch {
    return undefined;
  }
  return (cache[file] = loadPiecemeal(bytes, file));
}
`;

const EAGER_LOADER = `${LOADER}${sharingWith('register.js')}
let rest;
function elsewhere(name) {
  rest ??= requireRest();
  rest.meet($load);
  return rest.$load(name);
}
`;

const ESM_HEAD = `${MARK}
import { createRequire, Module } from 'node:module';
// Making a real require, and its first search, cost time that an import does not have.
let requireFile;
const realRequire = () => (requireFile ??= createRequire(import.meta.url));
const require = (name) => process.getBuiltinModule?.(name) ?? realRequire()(name);
`;

// Written so that tools which trace what a program needs (Next.js) find the files.
const ESM_REST = `const builtin = require;
${restOf("const load = createRequire(import.meta.url);\n  return load('./rest.js');")}`;
const CJS_REST = `const Module = require('node:module');
const builtin = (name) => process.getBuiltinModule?.(name) ?? Module.createRequire(folder + '/fs.js')(name);
${restOf("return require('./rest.js');")}`;

/** src/installed.ts in an ES module, which gives it the `require` that it asks for. */
const installedPart = () => `
function installed(file) {
  const exports = {};
  ((exports) => {
${relinked('installed').trimEnd()}
  })(exports);
  return exports.installed(file);
}
`;

/** Bundlers keep the address of the bundle, or none; webpack keeps that of the source, and knows `module`. */
const isBundledModule = (name) => `!/\\/${name}\\.mjs(?:$|[?#])/.test(import.meta.url ?? '')`;

// fs.js has the same code: whoever is loaded first makes the object and the other finds it, in the list that require
// keeps.
const ESM_OBJECT = `
let folder;
let cache;
function ownObject() {
  const self = import.meta.filename ?? require('node:url').fileURLToPath(import.meta.url);
  const file = self.replace(/\\.mjs$/, '.js');
  folder = file.slice(0, -'/fs.js'.length);
  cache = Module._cache ?? realRequire().cache;
  return cache[file]?.exports ?? firstObject(file);
}
function firstObject(file) {
  const exports = $load('fs');
  try {
    cache[file] = Object.assign(new Module(file), { filename: file, exports, loaded: true, $load });
  } catch {
    // A test runner's own module loader, with another idea of what its cache holds.
  }
  return exports;
}
const fs = ${isBundledModule('fs')} ? installed('fs.js') : ownObject();
`;

// Many a bundle has the same name, and another file of CommonJS beside it.
const ESM_INDEX = `
function ownObject() {
  const load = createRequire(import.meta.url);
  return load('./index.js');
}
function isThere() {
  try {
    return !(${isBundledModule('index')}) && realRequire().resolve('./rest.js') !== undefined;
  } catch {
    return false;
  }
}
const ioengine = isThere() ? ownObject() : installed('index.js');
`;

// The command is a user of the package like any other.
const PROGRAM_LOADER = `${LOADER}
const loadedElsewhere = () => undefined;
function elsewhere(name) {
  return require(\`./\${name}.js\`);
}
`;

/** A program in one file of its own, which uses the library through its entry points. */
function programOf(name) {
  const modules = reachable([name], ANY_REQUIRE, ENTRIES);
  const text = `'use strict';\n${MARK}\n${definitionsOf(modules, { compiled: false })}${PROGRAM_LOADER}$load('${name}');\n`;
  return { modules, text };
}

// Whoever calls what this puts into node:fs may be in the middle of loading a module, and a program may have put
// functions of its own into the module loader by then. So the text of rest.js is read here, and no loader takes part
// when the first call compiles it.
const REGISTER_LOADER = `${LOADER}${sharingWith('fs.js')}${PIECEMEAL}
const Module = require('node:module');
const { getBuiltinModule } = process;
const restFile = folder + '/rest.js';
const builtin = (name) => getBuiltinModule?.(name) ?? Module.createRequire(restFile)(name);
const bytes = require('node:fs').readFileSync(restFile);
let rest;
function elsewhere(name) {
  rest ??= (cache[restFile] ??= loadPiecemeal(bytes, restFile)).exports;
  rest.meet($load);
  return rest.$load(name);
}
`;

/** The parts of register.js, in the order in which they run. */
const registerFile = (names) => `if (process.env.IOENGINE_DISABLE === '1') {
  // Plain node was asked for.
} else if (${IS_BUNDLED}) {
  ${INSTALLED}('register.js');
} else {
const folder = __dirname;
const cache = require.cache ?? {};
${definitionsOf(names, { compiled: true })}${REGISTER_LOADER}
module.$load = $load;
$load('register');
}
`;

/** What an ES module of tsc's does with its CommonJS module, without the lines that get it. */
function exportsOf(name) {
  const line = `= __require("./${name}.js");\n`;
  const text = read(name, '.mjs');
  if (!text.includes(line))
    throw new PlainError(`dist/${name}.mjs lacks the line "${line.trim()}": is its import gone?`);
  return text.slice(text.indexOf(line) + line.length);
}

const builtinsOf = `import * as nodeModule from 'node:module';
const require = (name) => process.getBuiltinModule?.(name) ?? nodeModule;
`;

/** What bundlers get. It says no more of the package than its names. */
function bundledFiles() {
  const from = () => `${MARK}\nimport { installed } from './installed.mjs';\n`;
  return {
    'bundled/installed.mjs': `${MARK}\n${builtinsOf}export ${installedPart().trimStart()}`,
    'bundled/fs.mjs': `${from()}const fs = installed('fs.js');\n${exportsOf('fs')}`,
    'bundled/promises.mjs': `${from()}const { promises } = installed('fs.js');\n${exportsOf('promises')}`,
    'bundled/index.mjs': `${from()}const ioengine = installed('index.js');\n${exportsOf('index')}`,
    'bundled/register.mjs': `${from()}if (process.env.IOENGINE_DISABLE !== '1') installed('register.js');\n`,
  };
}

/** Imports in a .d.ts or .d.mts, in each of their forms. */
const TYPE_IMPORT = /(?:from|import|import\(|require\()\s*['"](?<to>\.[^'"]*)['"]/g;

/** The .d.ts and .d.mts files, by their names in dist/, that the public ones lead to, themselves included. */
export function publicTypes() {
  const found = new Set();
  const visit = (file) => {
    if (found.has(file)) return;
    found.add(file);
    for (const { groups } of readFileSync(inRoot('dist', file), 'utf8').matchAll(TYPE_IMPORT)) {
      const target = targetOf(file, groups.to);
      visit(/\.m?js$/.test(target) ? target.replace(/\.(m?)js$/, '.d.$1ts') : `${target}.d.ts`);
    }
  };
  const { exports: entries } = JSON.parse(readFileSync(inRoot('package.json'), 'utf8'));
  for (const ways of Object.values(entries)) {
    for (const { types } of Object.values(ways)) if (types) visit(path.posix.relative('dist', types));
  }
  return found;
}

function removePrivateTypes() {
  const used = publicTypes();
  for (const file of filesBelow(inRoot('dist'), ['.d.ts', '.d.mts'])) {
    if (!used.has(path.relative(inRoot('dist'), file))) rmSync(file);
  }
}

export function bundle() {
  const eager = reachable(['promises', 'fs'], IMPORT);
  const preloaded = reachable(['register'], IMPORT);
  const both = new Set([...eager, ...preloaded]);
  const rest = reachable(['fs', 'promises', 'index', 'register'], ANY_REQUIRE).filter(
    (name) => !both.has(name) && name !== 'index',
  );
  // `ioengine` alone must not start what `ioengine/fs` starts, so nothing of the latter is there for it.
  const wrong = reachable(['index'], IMPORT).filter((name) => eager.includes(name));
  if (wrong.length > 0) throw new PlainError(`src/index.ts imports ${wrong.join(', ')}, which src/fs.ts loads eagerly`);

  // What loads the rest has to hold all that the rest finds with it.
  const lacking = reachable(rest, IMPORT).filter(
    (name) => both.has(name) && !(eager.includes(name) && preloaded.includes(name)),
  );
  if (lacking.length > 0) throw new PlainError(`${lacking.join(', ')}: for fs.ts and register.ts both, or for neither`);

  const command = programOf('cli/main');
  const preload = programOf('cli/top-preload');
  const eagerPart = `${definitionsOf(eager, { compiled: true })}${EAGER_LOADER}`;
  const restText = entryOf('rest.js', `${definitionsOf(rest, { compiled: false })}${REST_LOADER}`);
  const texts = {
    'fs.js': entryOf(
      'fs.js',
      `const folder = __dirname;\nconst cache = require.cache ?? {};\n${CJS_REST}${eagerPart}\nmodule.$load = $load;\nmodule.exports = $load('fs');\n`,
    ),
    'fs.mjs': `${ESM_HEAD}${ESM_REST}${eagerPart}${installedPart()}${ESM_OBJECT}${exportsOf('fs')}`,
    'promises.js': `'use strict';\n${MARK}\nmodule.exports = require('./fs.js').promises;\n`,
    'promises.mjs': `${MARK}\nimport fs from './fs.mjs';\nconst { promises } = fs;\n${exportsOf('promises')}`,
    'index.js': entryOf('index.js', `const { $load } = require('./rest.js');\n${relinked('index')}`),
    'index.mjs': `${ESM_HEAD}${installedPart()}${ESM_INDEX}${exportsOf('index')}`,
    'installed.js': `'use strict';\n${MARK}\n${relinked('installed')}`,
    ...bundledFiles(),
    'register.js': `'use strict';\n${MARK}\n${registerFile(preloaded)}`,
    'rest.js': `${restText}${placesIn(restText, rest)}`,
    'cli.js': `#!/usr/bin/env node\n${command.text}`,
    'top-preload.js': preload.text,
  };
  for (const name of new Set([...both, ...rest, ...command.modules, ...preload.modules])) rmSync(fileOf(name, '.js'));
  mkdirSync(inRoot('dist', 'bundled'), { recursive: true });
  for (const [name, text] of Object.entries(texts)) write(name, '', text);
  chmodSync(fileOf('cli', '.js'), 0o755);
  removePrivateTypes();
}
