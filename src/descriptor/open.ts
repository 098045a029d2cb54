// Opening: a promise of a FileHandle, or node's plain descriptor for a callback.

import type { PathLike } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { afterPoll } from '../engine/after-poll';
import { isOptions, shownPath, tryParseFlags, tryParseMode, tryParsePath } from '../engine/arguments';
import { EngineError, whyNoEngine } from '../engine/backend-choice';
import { countDelegated, engine, pathsAreGuarded, startedEngine, UNSUPPORTED } from '../engine/engine';
import { callBackWith, resultOf } from '../engine/requests';
import { fileHandleOf } from '../file-handle/file-handle';
import { FLAG_CALLBACK } from '../native/addon';
import { systemError, systemErrorWithoutFrames } from '../node/errors';
import { handleParts, learnParts } from '../node/file-handle-parts';
import { nodeFs } from '../node/fs';
import { nodePromises } from '../node/promises';

/** `true`: O_DIRECT or an error. `'try'`: O_DIRECT where the filesystem takes it. See open(2). */
export type Direct = boolean | 'try';

export interface OpenOptions {
  /** As node's `flags`: 'r', 'w+', ... or a number. Default 'r'. */
  flags?: string | number | null;
  /** Permission bits of a new file. Default 0o666. */
  mode?: string | number | null;
  /** Default false; IOENGINE_DIRECT=1 makes it 'try'. */
  direct?: Direct;
}

export const DIRECT_AS_FLAGS = 0;
const DIRECT_REQUIRED = 1;
const DIRECT_TRY = 2;
const EINVAL = -22;

// Read once, as IOENGINE_BACKEND is: a look at the environment costs as much as the rest of a cached open in JavaScript.
const DIRECT_BY_DEFAULT = process.env.IOENGINE_DIRECT === '1' ? DIRECT_TRY : DIRECT_AS_FLAGS;

export function directMode(direct: unknown): number {
  if (direct === true) return DIRECT_REQUIRED;
  return direct === 'try' ? DIRECT_TRY : DIRECT_BY_DEFAULT;
}

/** An open that is plain enough for the engine. */
export interface OpenArguments {
  path: string | Uint8Array;
  flags: number;
  mode: number;
  direct: number;
}

export function tryParseOpen(path: unknown, flags: unknown, mode: unknown, direct: unknown): OpenArguments | undefined {
  if (pathsAreGuarded() || engine() === undefined) return undefined;
  const plain = {
    path: tryParsePath(path),
    flags: tryParseFlags(flags),
    mode: tryParseMode(mode),
    direct: directMode(direct),
  };
  if (plain.path === undefined || plain.flags === undefined || plain.mode === undefined) return undefined;
  return plain as OpenArguments;
}

function refusal(result: number, asked: OpenArguments): Error {
  const path = shownPath(asked.path);
  if (result === EINVAL && asked.direct === DIRECT_REQUIRED) {
    const error = systemError(result, 'open', path);
    return Object.assign(
      new EngineError(
        'ERR_IOENGINE_DIRECT_UNSUPPORTED',
        `'${path}' cannot be opened with O_DIRECT: its filesystem refuses it`,
        "use direct: 'try', which falls back to buffered I/O",
      ),
      { errno: error.errno, syscall: error.syscall, path },
    );
  }
  return systemError(result, 'open', path);
}

/** Without an engine O_DIRECT is not to be had as it is promised: at any offset and length. */
export function refuseDirectWithoutEngine(direct: unknown, path: unknown): void {
  if (direct !== true || (engine() !== undefined && !pathsAreGuarded())) return;
  throw new EngineError(
    'ERR_IOENGINE_DIRECT_UNSUPPORTED',
    `'${String(path)}' cannot be opened with O_DIRECT: ${whyNoEngine() ?? 'node:fs opens all files with --permission'}`,
    "use direct: 'try', which falls back to buffered I/O",
  );
}

function acceptOpen(asked: OpenArguments, requestFlags: number): number {
  return startedEngine()!.open(asked.path, asked.flags, asked.mode, asked.direct, requestFlags);
}

/** A descriptor opened by the engine, or UNSUPPORTED; rejects with node's error. */
export async function openDescriptor(asked: OpenArguments): Promise<number> {
  const answer = acceptOpen(asked, 0);
  const result = await (answer >= 0 ? afterPoll(answer) : resultOf(answer));
  if (result >= 0 || result === UNSUPPORTED) return result;
  const error = refusal(result, asked);
  Error.captureStackTrace(error, openDescriptor);
  throw error;
}

// An object in the place of flags is ours when it names one of ours; any other one gets node's error.
function isOpenOptions(flags: unknown): flags is OpenOptions {
  return isOptions(flags) && ('flags' in flags || 'mode' in flags || 'direct' in flags);
}

/**
 * fs.promises.open, with `direct`: `open(path, flags, mode)` or `open(path, { flags, mode, direct })`.
 * Errors are node's; ERR_IOENGINE_DIRECT_UNSUPPORTED where `direct: true` cannot be had.
 */
export async function open(
  path: PathLike,
  flags?: string | number | null | OpenOptions,
  mode?: string | number | null,
): Promise<FileHandle> {
  let direct: unknown;
  if (isOpenOptions(flags)) ({ flags, mode, direct } = flags);
  refuseDirectWithoutEngine(direct, path);
  const asked = tryParseOpen(path, flags, mode, direct);
  const fd = asked === undefined || !canWrap(asked) ? UNSUPPORTED : await openDescriptor(asked);
  if (fd === UNSUPPORTED) {
    countDelegated();
    return openByNode(path, flags as string | undefined, mode as string | undefined);
  }
  return nodeHandleOver(fd);
}

// Without node's class a descriptor of ours would have to be opened again by node. What O_DIRECT promises, only the engine
// keeps.
function canWrap(asked: OpenArguments): boolean {
  return asked.direct !== DIRECT_AS_FLAGS || handleParts() !== undefined;
}

const openByNode: typeof nodePromises.open = async (path, flags, mode) => {
  const handle = await nodePromises.open(path, flags, mode);
  learnParts(handle);
  return handle;
};

/** A FileHandle that owns the descriptor. */
export async function nodeHandleOver(fd: number): Promise<FileHandle> {
  return fileHandleOf(fd) ?? adoptByNode(fd);
}

// Where Node keeps its FileHandle class out of reach: node opens the same file through the descriptor.
async function adoptByNode(fd: number): Promise<FileHandle> {
  try {
    const flags = Number.parseInt(
      /flags:\s*([0-7]+)/.exec(nodeFs.readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))![1]!,
      8,
    );
    return await openByNode(`/proc/self/fd/${fd}`, flags);
  } finally {
    nodeFs.closeSync(fd);
  }
}

/** fs.open with a callback: `callback(error, fd)`. False for what node has to do. */
export function openWithCallback(path: unknown, flags: unknown, mode: unknown, given: unknown): boolean {
  const asked = typeof given === 'function' ? tryParseOpen(path, flags, mode, undefined) : undefined;
  if (asked === undefined) return false;
  const callback = given as (error: unknown, fd?: number) => void;
  const finish = (result: number): void => {
    if (result >= 0) {
      callback(null, result);
    } else if (result !== UNSUPPORTED) {
      callback(systemErrorWithoutFrames(result, 'open', shownPath(asked.path)));
    } else {
      countDelegated();
      nodeFs.open(path as PathLike, flags as string, mode as number, callback as never);
    }
  };
  const answer = acceptOpen(asked, FLAG_CALLBACK);
  if (answer === UNSUPPORTED) return false;
  callBackWith(answer, undefined, finish);
  return true;
}
