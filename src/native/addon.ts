// The one typed border to the native engine. Nothing else loads the addon or knows its numbers.

import { loadBinary } from './binary';

/** What an accepting call answers below zero: csrc/jobs/result_codes.h. */
export const UNSUPPORTED = -4096;
/** Accepted in a slot: `slot = ACCEPTED - answer`. */
export const ACCEPTED = -8192;

/** Flags of a request: csrc/backend/request.h. */
export const FLAG_CALLBACK = 1 << 0;
/** The caller owns the descriptor (a FileHandle), so its number cannot mean another file. */
export const FLAG_TRUSTED = 1 << 7;
/** A close that leaves the number taken: the caller sets it free. The result is the errno of close(2), above 0. */
export const FLAG_KEEP_NUMBER = 1 << 11;

/** Most views of one vectored read: IOV_MAX, see readv(2). A vectored write takes any number, as it does in node. */
export const READ_VECTORS_MAX = 1024;

/** Results of one delivery. */
const RESULTS_MAX = 512;
/** limits::whole_file_bytes of csrc/base/limits.h. */
const SCRATCH_BYTES = 128 * 1024;

export const BACKEND_INDEX = { auto: -1, uring: 0, aio: 1, threads: 2 } as const;
/** io_uring, Linux native AIO, or the engine's own threads alone. */
export type BackendName = 'uring' | 'aio' | 'threads';

/** Why a backend is not available; `errorNumber` 0 means that it is. */
export interface Failure {
  errorNumber: number;
  error?: string;
  cause?: string;
  fix?: string;
}

export interface Started extends Failure {
  reason: string;
  name?: BackendName;
}

export interface Description {
  name: BackendName;
  reason: string;
  depth: number;
  operations: string[];
  singleIssuer: number;
  bufferedReads: number;
}

/** A path, as text or as the bytes that the kernel gets. */
type Bytes = string | Uint8Array;

/** A directory that has been made with all in it, or not all, and does not have its mode yet. */
export interface DirectoryMode {
  path: string;
  mode: number;
  complete: boolean;
}

/** Function, path, target, descriptor or -1, mount, FilesystemKind, Lane, age in milliseconds. Texts may be empty. */
export type CallFields = [string, string, string, number, string, number, number, number];

/**
 * Functions of the addon. The accepting ones answer a number: at or above 0 the result of an operation served inline,
 * UNSUPPORTED when node:fs has to serve it, at or below ACCEPTED a slot. An error is always delivered to a slot.
 * Arguments are not checked again except where memory safety needs it.
 */
export interface Addon {
  readonly shared: Shared;
  read(fd: number, view: ArrayBufferView, offset: number, length: number, position: number, flags: number): number;
  write(fd: number, view: ArrayBufferView, offset: number, length: number, position: number, flags: number): number;
  readv(fd: number, views: readonly ArrayBufferView[], position: number, flags: number): number;
  writev(fd: number, views: readonly ArrayBufferView[], position: number, flags: number): number;
  sync(fd: number, dataOnly: number, flags: number): number;
  /** Answers 0: `pathNumbers` or, with PATH_BIGINT, `pathIntegers` have the attributes. */
  stat(path: string | Uint8Array, pathFlags: number): number;
  fstat(fd: number, pathFlags: number, flags: number): number;
  access(path: string | Uint8Array, mode: number, pathFlags: number): number;
  /** Of an accepted `stat` or `fstat` that is being settled: the numbers. */
  takeStat(slot: number, pathFlags: number): void;
  /** Where small files are read to, before the first `readFile`. */
  setScratch(memory: ArrayBuffer): boolean;
  /** Opens, reads and closes. Answers the size of a small file that was cached; it is in the scratch memory. */
  readFile(path: string | Uint8Array, pathFlags: number): number;
  /**
   * Of an accepted `readFile` that is being settled: the content, as a string where `asText` is 1 and all of it is
   * ASCII, or the open descriptor, now the caller's.
   */
  takeFile(slot: number, asText: number): Buffer | string | number;
  /**
   * Opens, writes, syncs where `sync` says so, and closes. The result is the count, or below UNSUPPORTED: not finished.
   */
  writeFile(path: Bytes, bytes: Uint8Array, open: number, mode: number, sync: number, pathFlags: number): number;
  /** Of a `writeFile` that has stopped and is being settled, into `pathNumbers`: descriptor or -1, step, -errno. */
  takeWrite(slot: number): void;
  readDirectory(path: Bytes, withTypes: number, pathFlags: number): number;
  /** The result is below UNSUPPORTED where one pool job was too short: then `takeLeft` has `below` of the next. */
  readTree(path: string, options: number, below: string, pathFlags: number): number;
  /** The result is below UNSUPPORTED where node has to copy it all; then the modes of `takeModes` are to be set. */
  copyTree(path: string, target: string, options: number, pathFlags: number): number;
  removeTree(path: Bytes, recursive: number, force: number, pathFlags: number): number;
  changePath(change: PathChange, path: Bytes, first: number, second: number, pathFlags: number): number;
  /** Of two paths: rename, link, symlink. */
  changePaths(change: PathChange, path: Bytes, target: Bytes, pathFlags: number): number;
  /** Of an accepted call that is being settled: what it has found, as bytes or as text. */
  takeFound(slot: number): Buffer;
  takeText(slot: number): string;
  /** Of a `readTree`: the directories that are still to be read, a NUL behind each. */
  takeLeft(slot: number): string;
  /** Of a `copyTree`: complete directories first, inner ones before those around them. */
  takeModes(slot: number): DirectoryMode[];
  setTimes(path: Bytes, accessed: number, modified: number, inMicroseconds: number, pathFlags: number): number;
  copyFile(path: Bytes, target: Bytes, options: number, pathFlags: number): number;
  statFilesystem(path: Bytes, pathFlags: number): number;
  /** Of an accepted `statFilesystem` that is being settled: the numbers, as `takeStat` has them. */
  takeFilesystem(slot: number, pathFlags: number): void;
  openDirectory(path: Bytes, pathFlags: number): number;
  /** Of an accepted `openDirectory` that is being settled: the number of the open directory. */
  takeDirectory(slot: number): number;
  /** The result is the number of entries, which `takeFound` and `takeText` have: `most`, or with `exact` 0 and more. */
  readEntries(directory: number, most: number, exact: number, pathFlags: number): number;
  /** The same at once: what `takeFound` would have, or -errno. */
  readEntriesNow(directory: number, most: number, exact: number): Buffer | number;
  closeDirectory(directory: number, pathFlags: number): number;
  closeDirectoryNow(directory: number): number;
  truncate(fd: number, length: number, flags: number): number;
  setDescriptorMode(fd: number, mode: number, flags: number): number;
  setDescriptorOwner(fd: number, user: number, group: number, flags: number): number;
  setDescriptorTimes(fd: number, accessed: number, modified: number, inMicroseconds: number, flags: number): number;
  /** `number`: -1, or an open descriptor in whose place the file is put; it is the result then. */
  open(path: Bytes, flags: number, mode: number, direct: number, number: number, requestFlags: number): number;
  close(fd: number, flags: number): number;
  /**
   * A request that does nothing: its result, 0, is delivered from the event loop, in the next turn, or not before the
   * immediates that are queued now.
   */
  later(flags: number, afterImmediates: number): number;
  /** node:fs has been given an operation that changes paths: the engine looks at none itself before the next turn. */
  pathsChangeElsewhere(): void;
  /**
   * node:fs is about to be given a watchFile: changes of any path wait until `endFirstLook` gets the number.
   */
  beginFirstLook(path: Bytes): number;
  endFirstLook(look: number): void;
  /** 1 in the main thread. node:worker_threads tells as well, and takes milliseconds to load where nobody needs it. */
  onDefaultLoop(): number;
  forget(fd: number): void;
  /** False, without waiting: a close that keeps the number is under way. */
  settleDescriptor(fd: number): boolean;
  /**
   * Until it is released, what `state` says is in the ring and not sent is written when the thread or the process ends.
   */
  holdWriteBuffer(ring: Buffer, state: ArrayBuffer): boolean;
  releaseWriteBuffer(state: ArrayBuffer): void;
  /** How results come back. Of this, and of memory that is set, the first in a thread stays. */
  setHandlers(
    deliver: (count: number) => void,
    results: Int32Array,
    pending: readonly unknown[],
    callbacksInBatches: number,
  ): boolean;
  /** Raises an uncaught exception here and now. */
  uncaught(error: unknown): void;
  start(type: number): Started;
  /** What the started backend is by now: a ring or a context that could not be made gives way to the next. */
  describe(): Description;
  probe(type: number): Failure;
  /**
   * 1: `pathNumbers` have what tells that a file was changed: its size, and seconds and nanoseconds of mtime and ctime.
   * 0: that would prove nothing of this file now.
   */
  stamp(fd: number): number;
  /** Where the next read(2) of the descriptor begins; -1 where there is no such place. */
  filePosition(fd: number): number;
  /** Moves it from `from` to `to`. 0, and nothing is moved: it is not there, or a read or write at it is under way. */
  claimFilePosition(fd: number, from: number, to: number): number;
  stats(): number[];
  /** What has not settled and is at least so old, the oldest first. */
  inFlight(olderThanMs: number): CallFields[];
  /** The same for what it has not named before. */
  slowCalls(olderThanMs: number): CallFields[];
  /** The age in milliseconds of the oldest that `slowCalls` has not named; 0 where there is none. */
  oldestCall(): number;
  alignedBuffer(size: number): Buffer | undefined;
  misalignment(view: ArrayBufferView): number;
}

/** The addon as it is: read and write take their numbers from shared memory. */
interface Exports extends Omit<Addon, 'read' | 'write' | 'shared'> {
  read(view: ArrayBufferView): void;
  write(view: ArrayBufferView): void;
  setTransferCall(memory: ArrayBuffer): boolean;
  setPathCall(memory: ArrayBuffer): boolean;
  shared?: Shared;
}

/** TransferCall of csrc/binding/environment.h: where each number is, in words of four bytes. */
const FD = 0;
const OFFSET = 1;
const LENGTH = 2;
const FLAGS = 3;
const ANSWER = 6;
/** In words of eight bytes. */
const POSITION = 2;
const TRANSFER_CALL_BYTES = 32;

/** Views of the thread's memory; `useMemory` makes them. */
let words = new Int32Array(0);
let doubles = new Float64Array(0);

/** WriteBufferState of csrc/binding/write_buffers.h: where each number is, in words of eight bytes. */
export enum WriteBufferWord {
  fd,
  start,
  shift,
  sent,
  taken,
  count,
}

/** Flags of a call on a path: csrc/binding/path_argument.h. */
export const PATH_CALLBACK = 1;
export const PATH_BIGINT = 2;
export const PATH_NO_FOLLOW = 4;

/** csrc/jobs/path_syscalls.h */
export enum PathChange {
  makeDirectories,
  truncate,
  changeMode,
  changeOwner,
  changeLinkOwner,
  readLink,
  realPath,
  makeDirectory,
  removeDirectory,
  unlink,
  rename,
  link,
  symbolicLink,
  makeTemporary,
}

/** Where a writeFile that was opened has stopped: csrc/jobs/write_file.h. */
export const WRITE_STEPS = [undefined, 'write', 'fsync', 'close'] as const;

/** csrc/jobs/read_tree.h */
export const TREE_TYPES = 1;
export const TREE_LEVELS = 2;
export const TREE_FOLLOWS_LINKS = 4;

/** csrc/jobs/copy_tree.h */
export const COPY_RECURSIVE = 1;
export const COPY_VERBATIM_LINKS = 2;
export const COPY_ONLY_FOLDERS = 4;
export const COPY_NEW_FOLDERS = 8;

/** csrc/jobs/copy_one_file.h; below these are the bits of fs.copyFile's mode. */
export const COPY_TIMES_AND_OWNER = 8;
export const COPY_IGNORES_TIMES = 16;

/** PathCall of csrc/binding/path_calls.h: ten fields of a file in the order of fs.Stats, then four times. */
const PATH_NUMBERS = 18;
const PATH_NUMBERS_BYTES = PATH_NUMBERS * Float64Array.BYTES_PER_ELEMENT;
export let pathNumbers: Float64Array = new Float64Array(0);
export let pathIntegers: BigInt64Array = new BigInt64Array(0);

/**
 * What all copies of this JavaScript in a thread have in common: they are given the same addon. Another version beside
 * this one has an addon, and so a record, of its own.
 */
export interface Shared {
  readonly transferCall: ArrayBuffer;
  readonly pathCall: ArrayBuffer;
  /** Slot and result of each request that `deliver` gets. */
  readonly results: Int32Array;
  /** What each slot settles. */
  readonly pending: unknown[];
  /** Where small files are read to: made when it is first needed. */
  scratch(): ArrayBuffer;
  /** How a FileHandle that has arrived in this thread becomes one of the engine's; true: not for the first time. */
  adoptWith(adopt: (handle: object) => void): boolean;
  adopt(handle: object): void;
  started: Started | undefined;
  /** The addon has its way back into JavaScript. */
  connected: boolean;
}

function makeShared(transferCallBytes: number, pathCallBytes: number, results: number, scratchBytes: number): Shared {
  let scratch: ArrayBuffer | undefined;
  let adopter: WeakRef<(handle: object) => void> | undefined;
  return {
    transferCall: new ArrayBuffer(transferCallBytes),
    pathCall: new ArrayBuffer(pathCallBytes),
    results: new Int32Array(results),
    pending: [],
    scratch: () => (scratch ??= new ArrayBuffer(scratchBytes)),
    adoptWith(adopt) {
      const isRepeated = adopter !== undefined;
      adopter = new WeakRef(adopt);
      return isRepeated;
    },
    adopt: (handle) => adopter?.deref()?.(handle),
    started: undefined,
    connected: false,
  };
}

function sharedOf(exports: Exports): Shared {
  if (exports.shared === undefined) {
    const make = ofMainContext(makeShared, exports);
    const shared = make(TRANSFER_CALL_BYTES, 2 * PATH_NUMBERS_BYTES, RESULTS_MAX * 2, SCRATCH_BYTES);
    exports.setTransferCall(shared.transferCall);
    exports.setPathCall(shared.pathCall);
    exports.shared = shared;
  }
  return exports.shared;
}

/**
 * `make` as a function of the main context: what the engine holds must not keep the context of one copy alive, which
 * may be that of a test file that is long over. Its text is compiled there again, so it uses nothing but its arguments.
 *
 * @param made an object of the main context, as the addon's are
 */
export function ofMainContext<Make extends (...args: never[]) => object>(make: Make, made: object): Make {
  if (made instanceof Object) return make;
  const { runInThisContext } = require('node:vm') as typeof import('node:vm');
  return runInThisContext(`(${make})`, 'ioengine/main-context') as Make;
}

function useMemory({ transferCall, pathCall }: Shared): void {
  words = new Int32Array(transferCall);
  doubles = new Float64Array(transferCall);
  pathNumbers = new Float64Array(pathCall, 0, PATH_NUMBERS);
  pathIntegers = new BigInt64Array(pathCall, PATH_NUMBERS_BYTES, PATH_NUMBERS);
}

/** Reads and writes with their numbers as arguments. The call runs no JavaScript, so one memory serves every call. */
function withArguments(exports: Exports): Addon {
  const transfer =
    (call: (view: ArrayBufferView) => void): Addon['read'] =>
    (fd, view, offset, length, position, flags) => {
      words[FD] = fd;
      words[OFFSET] = offset;
      words[LENGTH] = length;
      words[FLAGS] = flags;
      doubles[POSITION] = position;
      call(view);
      return words[ANSWER]!;
    };
  const shared = sharedOf(exports);
  useMemory(shared);
  return { ...exports, shared, read: transfer(exports.read), write: transfer(exports.write) };
}

let loaded: Addon | undefined;
let failure: string | undefined;
let failurePasses = false;

/** Another runtime than Node: it ends the process when the addon calls what it lacks of libuv. */
function otherRuntime(): string | undefined {
  const { bun, deno } = process.versions as Record<string, string | undefined>;
  if (bun !== undefined) return `this is Bun ${bun}: the engine runs on Node.js`;
  return deno === undefined ? undefined : `this is Deno ${deno}: the engine runs on Node.js`;
}

/** Why the addon must not even be looked for. */
const whyNot = (): string | undefined =>
  otherRuntime() ?? (process.platform === 'linux' ? undefined : `ioengine needs Linux, this is ${process.platform}`);

/** True where whoever runs this expects the engine, so that its absence has to be said: in Node, on any system. */
export const addonIsExpected = (): boolean => otherRuntime() === undefined;

/** The addon, loaded at the first call; undefined where there is none for this system (see `addonFailure`). */
export function addon(): Addon | undefined {
  if (loaded !== undefined || (failure !== undefined && !failurePasses)) return loaded;
  failurePasses = false;
  failure = whyNot();
  if (failure !== undefined) return undefined;
  const binary = loadBinary();
  if ('failure' in binary) {
    ({ failure, passes: failurePasses } = binary);
    return undefined;
  }
  try {
    loaded = withArguments(binary.exports as Exports);
  } catch (error) {
    // An addon, and not ours.
    failure = `the native addon cannot be used: ${(error as Error).message}`;
  }
  return loaded;
}

/** True where the next call of `addon()` tries once more. */
export const addonFailurePasses = (): boolean => failurePasses;

/** Why `addon()` is undefined. */
export function addonFailure(): string | undefined {
  return failure;
}
