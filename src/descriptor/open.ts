// Opens a file through the engine: what of a call the engine takes, with O_DIRECT where that is wanted, and the errors.

import { afterPoll } from '../engine/after-poll';
import { isOptions, shownPath, tryParseFlags, tryParseMode, tryParsePath } from '../engine/arguments';
import { EngineError, whyNoEngine } from '../engine/backend-choice';
import { engine, pathsAreGuarded, startedEngine } from '../engine/engine';
import { resultOf } from '../engine/requests';
import { UNSUPPORTED } from '../native/addon';
import { systemError } from '../node/errors';
import { nodeFs } from '../node/fs';
import { NO_NUMBER } from './node-numbers';

/**
 * O_DIRECT, past the page cache, see open(2). `true`: or an error (`ERR_IOENGINE_DIRECT_UNSUPPORTED`). `'try'`: where
 * the filesystem takes it, else buffered. `false`: buffered, unless the flags say O_DIRECT.
 */
export type Direct = boolean | 'try';

/** What `open(path, options)` of ioengine/fs and ioengine/fs/promises takes in the place of node's flags and mode. */
export interface OpenOptions {
  /** As node's `flags`: 'r', 'w+', ... or a number, see open(2). Default 'r'. */
  flags?: string | number | null;
  /** Permission bits of a new file, less the umask. Default 0o666. */
  mode?: string | number | null;
  /** Default false; IOENGINE_DIRECT=1 makes it 'try'. Any offset, length and buffer works. */
  direct?: Direct;
}

export const DIRECT_AS_FLAGS = 0;
const DIRECT_REQUIRED = 1;
const DIRECT_TRY = 2;
const EINVAL = -22;

// Read once, as IOENGINE_BACKEND is: a look at the environment costs as much as the rest of a cached open in
// JavaScript.
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
  const args = {
    path: tryParsePath(path),
    flags: tryParseFlags(flags),
    mode: tryParseMode(mode),
    direct: directMode(direct),
  };
  if (args.path === undefined || args.flags === undefined || args.mode === undefined) return undefined;
  return args as OpenArguments;
}

function refusal(result: number, args: OpenArguments): Error {
  const path = shownPath(args.path);
  if (result === EINVAL && args.direct === DIRECT_REQUIRED) {
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

export function acceptOpen(args: OpenArguments, number: number, requestFlags: number): number {
  return startedEngine()!.open(args.path, args.flags, args.mode, args.direct, number, requestFlags);
}

/** A descriptor opened by the engine, or UNSUPPORTED; rejects with node's error. `number`: of reserveNumber(). */
export async function openDescriptor(args: OpenArguments, number = NO_NUMBER): Promise<number> {
  const answer = acceptOpen(args, number, 0);
  const result = await (answer >= 0 ? afterPoll(answer) : resultOf(answer));
  if (result >= 0 || result === UNSUPPORTED) return result;
  const error = refusal(result, args);
  Error.captureStackTrace(error, openDescriptor);
  throw error;
}

// An object in the place of flags is ours when it names one of ours; any other one gets node's error.
export function isOpenOptions(flags: unknown): flags is OpenOptions {
  return isOptions(flags) && ('flags' in flags || 'mode' in flags || 'direct' in flags);
}

/** The flags of an open descriptor, as open(2) has them. */
export function openFlagsOf(fd: number): number {
  const [, flags] = /flags:\s*([0-7]+)/.exec(nodeFs.readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))!;
  return Number.parseInt(flags!, 8);
}
