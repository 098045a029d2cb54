// Every name of node:fs and node:fs/promises in the supported versions of Node: who serves it, and why. The one list
// behind docs/compatibility.md. Nothing at run time reads it; compat-tests/surface/table.test.mjs compares it with what
// the modules really do, and fails when the running Node has a name that is missing here.

/** `engine`: our function. `node`: node's own function. `value`: no function to serve; node's own object. */
export type Server = 'engine' | 'node' | 'value';

export interface Row {
  readonly names: readonly string[];
  readonly server: Server;
  readonly reason: string;
}

const words = (text: string): readonly string[] => text.trim().split(/\s+/);
const row = (server: Server, reason: string, names: string): Row => ({ server, reason, names: words(names) });

const POOL_JOB = 'a pool job, so that calls on paths start in the order of the calls, whoever serves them';
const DIR = "a Dir of node's class over a directory that pool jobs open, read part by part and close";
const INSIDE = "node's own walk, over functions of the engine's";
const ATTRIBUTES = "answered at once where the kernel's caches have it, else by one pool job";
const ONE_JOB = 'one pool job, where node makes several';
const PROMISED = "one pool job; the promise costs less than node's";
const NOT_ON_LINUX = 'not on Linux: it only says so';
const SYNC = 'waits by contract: there is nothing to overlap';
const WATCHING = 'waits for the kernel to report changes: no file I/O';

export const FS: readonly Row[] = [
  row('engine', 'file content: what the backends are for', 'read readv write writev'),
  row('engine', 'file content, opened and closed by the engine', 'readFile writeFile appendFile'),
  row('engine', 'waits for the device', 'fsync fdatasync'),
  row('engine', 'tells the engine what a descriptor is; without a callback a promise of a FileHandle', 'open'),
  row('engine', 'waits for what is in flight on the descriptor', 'close'),
  row('engine', "node's own, after what was accepted on the descriptor has settled", 'closeSync'),
  row(
    'engine',
    "node's own, with what the program has put in the place of functions that they call",
    'appendFileSync readFileSync rmSync rmdirSync truncateSync writeFileSync',
  ),
  row(
    'engine',
    "node's own classes over the engine's operations",
    'createReadStream createWriteStream ReadStream WriteStream FileReadStream FileWriteStream',
  ),
  row('value', 'the module ioengine/fs/promises', 'promises'),
  row('value', "node's own", 'constants Stats Dirent Dir F_OK R_OK W_OK X_OK'),
  row('engine', ATTRIBUTES, 'access exists stat lstat fstat'),
  row('engine', ONE_JOB, 'cp mkdir rm truncate'),
  row('engine', POOL_JOB, 'link rename rmdir symlink unlink chmod chown lchown readlink readdir ftruncate'),
  row('engine', POOL_JOB, 'copyFile utimes lutimes statfs mkdtemp fchmod fchown futimes'),
  row('engine', DIR, 'opendir'),
  row('engine', "node's own, whose first look at the file comes in front of later changes", 'watchFile'),
  row('engine', INSIDE, 'glob'),
  row('node', NOT_ON_LINUX, 'lchmod'),
  row(
    'engine',
    "node's walk over the engine's functions, or over those that the program has put in their place; " +
      '`realpath.native` is one pool job',
    'realpath',
  ),
  row('node', WATCHING, 'watch unwatchFile'),
  row('node', 'makes an object inside node that reads the file itself', 'openAsBlob openAsBlobSync'),
  row('node', 'writes synchronously unless told otherwise, on a queue of its own', 'Utf8Stream'),
  row('node', 'node keeps it for old programs', '_toUnixTimestamp'),
  row(
    'node',
    SYNC,
    `accessSync chmodSync chownSync copyFileSync cpSync existsSync fchmodSync fchownSync fdatasyncSync
     fstatSync fsyncSync ftruncateSync futimesSync globSync lchmodSync lchownSync linkSync lstatSync lutimesSync
     mkdirSync mkdtempDisposableSync mkdtempSync openSync opendirSync readSync readdirSync readlinkSync
     readvSync realpathSync renameSync statSync statfsSync symlinkSync unlinkSync
     utimesSync writeSync writevSync`,
  ),
];

export const PROMISES: readonly Row[] = [
  row('engine', 'file content, opened and closed by the engine', 'readFile writeFile appendFile'),
  row('engine', 'a FileHandle that reads, writes and syncs through the engine; also takes `direct`', 'open'),
  row('value', "node's own", 'constants'),
  row('engine', ATTRIBUTES, 'access stat lstat'),
  row('engine', ONE_JOB, 'cp mkdir readdir rm truncate'),
  row('engine', PROMISED, 'chmod chown lchown readlink realpath'),
  row('engine', POOL_JOB, 'link rename rmdir symlink unlink copyFile utimes lutimes statfs mkdtemp'),
  row('engine', "the engine's mkdtemp and rm", 'mkdtempDisposable'),
  row('engine', DIR, 'opendir'),
  row('engine', INSIDE, 'glob'),
  row('node', NOT_ON_LINUX, 'lchmod'),
  row('node', WATCHING, 'watch'),
];
