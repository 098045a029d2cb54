// The ES module: the same object as default, and a named export for every name that node:fs/promises has in any
// supported version; one that the running Node lacks is undefined. `export import` keeps all that a name means to
// TypeScript: overloads, classes, namespaces. compat-tests/surface/table.test.mjs checks the names against the running
// Node.

import promises = require('./promises.js');

import type { Newer } from './types/fs.js';

export default promises;
export type * from './promises.js';

export import access = promises.access;
export import appendFile = promises.appendFile;
export import chmod = promises.chmod;
export import chown = promises.chown;
export import constants = promises.constants;
export import copyFile = promises.copyFile;
export import cp = promises.cp;
export import lchmod = promises.lchmod;
export import lchown = promises.lchown;
export import link = promises.link;
export import lstat = promises.lstat;
export import lutimes = promises.lutimes;
export import mkdir = promises.mkdir;
export import mkdtemp = promises.mkdtemp;
export import open = promises.open;
export import opendir = promises.opendir;
export import readFile = promises.readFile;
export import readdir = promises.readdir;
export import readlink = promises.readlink;
export import realpath = promises.realpath;
export import rename = promises.rename;
export import rm = promises.rm;
export import rmdir = promises.rmdir;
export import stat = promises.stat;
export import statfs = promises.statfs;
export import symlink = promises.symlink;
export import truncate = promises.truncate;
export import unlink = promises.unlink;
export import utimes = promises.utimes;
export import watch = promises.watch;
export import writeFile = promises.writeFile;

// Names that only newer versions have.
type Varying<Name extends string> = Newer<typeof promises, Name>;
const named = <Name extends string>(name: Name): Varying<Name> => promises[name as never] as Varying<Name>;

export const glob: Varying<'glob'> = named('glob');
export const mkdtempDisposable: Varying<'mkdtempDisposable'> = named('mkdtempDisposable');
