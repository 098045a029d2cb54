// opendir: a Dir of node's class over a directory that the engine reads, a part at a time.

import { isOptions, tryParseNameEncoding, tryParsePath } from '../engine/arguments';
import { startedEngine } from '../engine/engine';
import { type Listing, listingOf, takeListing, typeAt } from '../engine/listing';
import type { Path, PoolJob } from '../engine/pool-job';
import { CallbackRequest, callBackTo } from '../engine/requests';
import { ACCEPTED, type Addon, PATH_CALLBACK } from '../native/addon';
import { canMakeDirs, type DirContext, type DirRequest, type DirSource, makeDir } from '../node/dirs';
import { systemError, systemErrorWithoutFrames } from '../node/errors';
import { callbackForm } from './pool-job-forms';

/** Names and types in turn, as node's native half has them; null at the end. */
function entriesOf(listing: Listing): unknown[] | null {
  const { names } = listing;
  if (names.length === 0) return null;
  const entries = new Array<unknown>(names.length * 2);
  for (let i = 0; i < names.length; i++) {
    entries[i * 2] = names[i];
    entries[i * 2 + 1] = typeAt(listing, i);
  }
  return entries;
}

/** A read or a close under way, in the async context of its caller. */
class DirAnswer extends CallbackRequest {
  constructor(
    readonly slot: number,
    readonly native: Addon,
    readonly syscall: string,
    readonly request: DirRequest,
    /** Of the names that a read brings; a close brings nothing. */
    readonly encoding: string | undefined,
  ) {
    super(undefined);
  }

  finish(result: number): void {
    const { request, encoding } = this;
    if (result < 0) request.oncomplete(systemErrorWithoutFrames(result, this.syscall));
    else if (encoding === undefined) request.oncomplete(null);
    else request.oncomplete(null, entriesOf(takeListing(this.native, this.slot, encoding)));
  }
}

/** Node raises its own error of what is in `context`; later versions are thrown one. */
function fail(errno: number, syscall: string, context: DirContext | undefined): void {
  const error = systemError(errno, syscall);
  if (context === undefined) throw error;
  Object.assign(context, { errno, code: error.code, syscall });
}

/** A Dir that nobody has closed is gone: as node does it. */
const forgotten = new FinalizationRegistry<number>((directory) => {
  startedEngine()!.closeDirectoryNow(directory);
  process.emitWarning('Closing directory handle on garbage collection');
});

class Directory implements DirSource {
  constructor(
    private readonly native: Addon,
    private readonly number: number,
    /** 1: no more entries at once than are asked for, because their number decides the order of a recursive Dir. */
    private readonly exact: number,
  ) {
    forgotten.register(this, number, this);
  }

  read(encoding: unknown, most: number, request?: DirRequest, context?: DirContext): unknown {
    const { native, number, exact } = this;
    // A Dir of options without an encoding asks for none.
    const known = tryParseNameEncoding(encoding)!;
    if (request !== undefined) {
      this.answer(native.readEntries(number, most, exact, PATH_CALLBACK), 'scandir', request, known);
      return undefined;
    }
    const found = native.readEntriesNow(number, most, exact);
    return typeof found === 'number' ? fail(found, 'scandir', context) : entriesOf(listingOf(found, known));
  }

  close(request?: DirRequest, context?: DirContext): unknown {
    const { native, number } = this;
    forgotten.unregister(this);
    if (request !== undefined) {
      this.answer(native.closeDirectory(number, PATH_CALLBACK), 'closedir', request, undefined);
      return undefined;
    }
    const result = native.closeDirectoryNow(number);
    return result < 0 ? fail(result, 'closedir', context) : undefined;
  }

  private answer(answer: number, syscall: string, request: DirRequest, encoding: string | undefined): void {
    callBackTo(answer, new DirAnswer(ACCEPTED - answer, this.native, syscall, request, encoding));
  }
}

class OpendirJob implements PoolJob {
  constructor(
    readonly path: Path,
    /** The path that the Dir shows: bytes are the program's own. */
    readonly named: unknown,
    readonly options: unknown,
    readonly exact: boolean,
  ) {}

  get syscall(): string {
    return 'opendir';
  }

  get chained(): boolean {
    return false;
  }

  accept(native: Addon, pathFlags: number): number {
    return native.openDirectory(this.path, pathFlags);
  }

  value(_result: number, slot: number, native: Addon): unknown {
    return makeDir(new Directory(native, native.takeDirectory(slot), this.exact ? 1 : 0), this.named, this.options);
  }
}

const BUFFER_SIZE_MAX = 2 ** 31 - 1;

function tryParseOpendir(value: unknown, options: unknown): PoolJob | undefined {
  const isPlain = options === undefined || options === null || typeof options === 'string' || isOptions(options);
  if (!isPlain || tryParseNameEncoding(options) === undefined || !canMakeDirs()) return undefined;
  const { bufferSize = 1, recursive = false } = (typeof options === 'object' ? (options ?? {}) : {}) as Record<
    string,
    unknown
  >;
  const isSize =
    Number.isInteger(bufferSize) && (bufferSize as number) > 0 && (bufferSize as number) <= BUFFER_SIZE_MAX;
  const path = isSize ? tryParsePath(value) : undefined;
  if (path === undefined) return undefined;
  return new OpendirJob(path, typeof path === 'string' ? path : value, options, Boolean(recursive));
}

/** fs.opendir. */
export const opendir = callbackForm('opendir', tryParseOpendir, { required: 1, optional: true });

/** fs.promises.opendir, in node made of the callback form by promisify: a function of the old kind. */
export function opendirPromise(...args: unknown[]): Promise<unknown> {
  return new Promise((resolve, reject) => {
    opendir(...args, (error: unknown, dir: unknown) => (error ? reject(error) : resolve(dir)));
  });
}
