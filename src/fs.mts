// The ES module: the same object as default, and a named export for every name that node:fs has in any supported
// version; one that the running Node lacks is undefined. `export import` keeps all that a name means to TypeScript:
// overloads, classes, namespaces. compat-tests/surface/table.test.mjs checks the names against the running Node.

import fs = require('./fs.js');

import type { Newer } from './types/fs.js';

export default fs;
export type * from './fs.js';

export import Dir = fs.Dir;
export import Dirent = fs.Dirent;
export import ReadStream = fs.ReadStream;
export import Stats = fs.Stats;
export import WriteStream = fs.WriteStream;
export import access = fs.access;
export import accessSync = fs.accessSync;
export import appendFile = fs.appendFile;
export import appendFileSync = fs.appendFileSync;
export import chmod = fs.chmod;
export import chmodSync = fs.chmodSync;
export import chown = fs.chown;
export import chownSync = fs.chownSync;
export import close = fs.close;
export import closeSync = fs.closeSync;
export import constants = fs.constants;
export import copyFile = fs.copyFile;
export import copyFileSync = fs.copyFileSync;
export import cp = fs.cp;
export import cpSync = fs.cpSync;
export import createReadStream = fs.createReadStream;
export import createWriteStream = fs.createWriteStream;
export import exists = fs.exists;
export import existsSync = fs.existsSync;
export import fchmod = fs.fchmod;
export import fchmodSync = fs.fchmodSync;
export import fchown = fs.fchown;
export import fchownSync = fs.fchownSync;
export import fdatasync = fs.fdatasync;
export import fdatasyncSync = fs.fdatasyncSync;
export import fstat = fs.fstat;
export import fstatSync = fs.fstatSync;
export import fsync = fs.fsync;
export import fsyncSync = fs.fsyncSync;
export import ftruncate = fs.ftruncate;
export import ftruncateSync = fs.ftruncateSync;
export import futimes = fs.futimes;
export import futimesSync = fs.futimesSync;
export import lchmod = fs.lchmod;
export import lchmodSync = fs.lchmodSync;
export import lchown = fs.lchown;
export import lchownSync = fs.lchownSync;
export import link = fs.link;
export import linkSync = fs.linkSync;
export import lstat = fs.lstat;
export import lstatSync = fs.lstatSync;
export import lutimes = fs.lutimes;
export import lutimesSync = fs.lutimesSync;
export import mkdir = fs.mkdir;
export import mkdirSync = fs.mkdirSync;
export import mkdtemp = fs.mkdtemp;
export import mkdtempSync = fs.mkdtempSync;
export import open = fs.open;
export import openAsBlob = fs.openAsBlob;
export import openSync = fs.openSync;
export import opendir = fs.opendir;
export import opendirSync = fs.opendirSync;
export const promises = fs.promises;
export import read = fs.read;
export import readFile = fs.readFile;
export import readFileSync = fs.readFileSync;
export import readSync = fs.readSync;
export import readdir = fs.readdir;
export import readdirSync = fs.readdirSync;
export import readlink = fs.readlink;
export import readlinkSync = fs.readlinkSync;
export import readv = fs.readv;
export import readvSync = fs.readvSync;
export import realpath = fs.realpath;
export import realpathSync = fs.realpathSync;
export import rename = fs.rename;
export import renameSync = fs.renameSync;
export import rm = fs.rm;
export import rmSync = fs.rmSync;
export import rmdir = fs.rmdir;
export import rmdirSync = fs.rmdirSync;
export import stat = fs.stat;
export import statSync = fs.statSync;
export import statfs = fs.statfs;
export import statfsSync = fs.statfsSync;
export import symlink = fs.symlink;
export import symlinkSync = fs.symlinkSync;
export import truncate = fs.truncate;
export import truncateSync = fs.truncateSync;
export import unlink = fs.unlink;
export import unlinkSync = fs.unlinkSync;
export import unwatchFile = fs.unwatchFile;
export import utimes = fs.utimes;
export import utimesSync = fs.utimesSync;
export import watch = fs.watch;
export import watchFile = fs.watchFile;
export import write = fs.write;
export import writeFile = fs.writeFile;
export import writeFileSync = fs.writeFileSync;
export import writeSync = fs.writeSync;
export import writev = fs.writev;
export import writevSync = fs.writevSync;

// Names that not every version has, or that @types/node leaves out. A name that a version hides from ES modules is not
// touched: the getter behind it may warn of its deprecation.
type Varying<Name extends string> = Newer<typeof fs, Name>;
const named = <Name extends string>(name: Name): Varying<Name> =>
  (Object.prototype.propertyIsEnumerable.call(fs, name) ? fs[name as never] : undefined) as Varying<Name>;

export const F_OK: Varying<'F_OK'> = named('F_OK');
export const FileReadStream: Varying<'FileReadStream'> = named('FileReadStream');
export const FileWriteStream: Varying<'FileWriteStream'> = named('FileWriteStream');
export const R_OK: Varying<'R_OK'> = named('R_OK');
export const Utf8Stream: Varying<'Utf8Stream'> = named('Utf8Stream');
export const W_OK: Varying<'W_OK'> = named('W_OK');
export const X_OK: Varying<'X_OK'> = named('X_OK');
export const _toUnixTimestamp: Varying<'_toUnixTimestamp'> = named('_toUnixTimestamp');
export const glob: Varying<'glob'> = named('glob');
export const globSync: Varying<'globSync'> = named('globSync');
export const mkdtempDisposableSync: Varying<'mkdtempDisposableSync'> = named('mkdtempDisposableSync');
export const openAsBlobSync: Varying<'openAsBlobSync'> = named('openAsBlobSync');
