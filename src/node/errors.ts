// Errors that cannot be told from node's: the same texts, the same own properties in the same order.

import { getSystemErrorMap } from 'node:util';

type SystemError = NodeJS.ErrnoException & { dest?: string };

let texts: Map<number, [string, string]> | undefined;

function describe(errno: number): [string, string] {
  texts ??= getSystemErrorMap();
  return texts.get(errno) ?? ['UNKNOWN', 'unknown error'];
}

/**
 * `CODE: text, syscall 'path' -> 'dest'` with errno, code, syscall, path and dest, in libuv's form. `errno` is
 * negative.
 */
export function systemError(errno: number, syscall: string, path?: string, dest?: string): SystemError {
  const [code, text] = describe(errno);
  const shown = path === undefined ? '' : ` '${path}'${dest === undefined ? '' : ` -> '${dest}'`}`;
  const error = new Error(`${code}: ${text}, ${syscall}${shown}`) as SystemError;
  error.errno = errno;
  error.code = code;
  error.syscall = syscall;
  if (path !== undefined) error.path = path;
  if (dest !== undefined) error.dest = dest;
  return error;
}

/** The same for callbacks, where node's error has no frames: nothing of ours was on its stack. */
export function systemErrorWithoutFrames(errno: number, syscall: string, path?: string, dest?: string): SystemError {
  const limit = Error.stackTraceLimit;
  if (!Object.getOwnPropertyDescriptor(Error, 'stackTraceLimit')?.writable)
    return withoutFrames(errno, syscall, path, dest);
  Error.stackTraceLimit = 0;
  try {
    return systemError(errno, syscall, path, dest);
  } finally {
    Error.stackTraceLimit = limit;
  }
}

// With --frozen-intrinsics, or where a program has taken the limit away.
function withoutFrames(errno: number, syscall: string, path?: string, dest?: string): SystemError {
  const error = systemError(errno, syscall, path, dest);
  error.stack = `Error: ${error.message}`;
  return error;
}

/**
 * Rejects with a system error whose stack names the awaiting functions. V8 finds them only when the error is made in a
 * job whose promise the awaited one already waits for: so the promise is resolved with another one, which fails a tick
 * later than it has been hooked up.
 */
export function rejectWithSystemError(
  resolve: (value: unknown) => void,
  errno: number,
  syscall: string,
  path?: string,
  dest?: string,
): void {
  resolve(
    Promise.resolve()
      .then()
      .then(() => {
        throw systemError(errno, syscall, path, dest);
      }),
  );
}
