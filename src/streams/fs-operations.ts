// What a stream of ours calls where node's stream would call node:fs: node keeps that object in each stream (it is what
// the option `fs` sets), so node's own code for options, events and errors runs unchanged above it. Every call looks at
// the live module, so that patches of `ioengine/fs` are honoured.

import { constants } from 'node:fs';
import { releaseNumber, reserveNumber } from '../descriptor/node-numbers';
import {
  type Direct,
  directMode,
  openDescriptor,
  openFlagsOf,
  refuseDirectWithoutEngine,
  tryParseOpen,
} from '../descriptor/open';
import { tryParseFlags } from '../engine/arguments';
import { engine } from '../engine/engine';
import { type Addon, UNSUPPORTED } from '../native/addon';
import { nextTick } from '../node/fs';
import { type Functions, STREAM_CALLS } from './names';

type OpenCallback = (error: unknown, fd?: number) => void;
type AnyFunction = (...args: unknown[]) => unknown;

function openFlags(fd: number): number {
  try {
    return openFlagsOf(fd);
  } catch {
    return 0;
  }
}

/** The functions of one stream. */
export class StreamOperations {
  /** The descriptor, where this stream has opened it itself and nobody else can have moved its position. */
  ownFd: number | undefined;
  /** O_DIRECT is wanted: by option, by flag, or by IOENGINE_DIRECT. */
  readonly wantsDirect: boolean;

  constructor(
    readonly live: Functions,
    private readonly unpatched: Functions,
    private readonly direct: Direct | undefined,
    flags: unknown,
    /** Of a WriteStream: so many bytes may be acknowledged before the kernel has them. */
    readonly writeBehind?: number,
  ) {
    const bits = tryParseFlags(flags) ?? 0;
    this.wantsDirect = directMode(direct) !== 0 || (bits & constants.O_DIRECT) !== 0;
  }

  /** The addon, if the stream may go past the module's function of this name: nobody has patched it. */
  engineFor(name: (typeof STREAM_CALLS)[number]): Addon | undefined {
    return this.live[name] === this.unpatched[name] ? engine() : undefined;
  }

  /** Whether positional writes go straight to the device: an open may have fallen back, and appends never do. */
  writesDirect(fd: number): boolean {
    const flags = this.wantsDirect ? openFlags(fd) : 0;
    const direct = (flags & (constants.O_DIRECT | constants.O_APPEND)) === constants.O_DIRECT;
    return direct && (flags & (constants.O_WRONLY | constants.O_RDWR)) !== 0;
  }

  /** fs.open of this stream. */
  openFile(path: unknown, flags: unknown, mode: unknown, callback: OpenCallback): void {
    const isOurs = this.live.open === this.unpatched.open;
    const opened: OpenCallback = (error, fd) => {
      if (error) return callback(error);
      if (isOurs) this.ownFd = fd;
      callback(null, fd);
    };
    if (isOurs && this.direct !== undefined && this.openDirect(path, flags, mode, opened)) return;
    (this.live.open as AnyFunction)(path, flags, mode, opened);
  }

  private openDirect(path: unknown, flags: unknown, mode: unknown, opened: OpenCallback): boolean {
    const args = tryParseOpen(path, flags, mode, this.direct);
    if (args === undefined) {
      try {
        refuseDirectWithoutEngine(this.direct, path);
      } catch (error) {
        nextTick(opened, error);
        return true;
      }
      return false;
    }
    const number = reserveNumber();
    if (number === undefined) return false;
    openDescriptor(args, number).then(
      (fd) => {
        if (fd !== UNSUPPORTED) return nextTick(opened, null, fd);
        // A FIFO or a device that may wait for somebody: node opens it, and direct means nothing for it.
        releaseNumber(number);
        nextTick(this.live.open as never, path, flags, mode, opened);
      },
      (error) => {
        releaseNumber(number);
        nextTick(opened, error);
      },
    );
    return true;
  }
}

// Getters: node checks for each function that it is one, and what a program has put into the module instead has to
// fail that check.
for (const name of STREAM_CALLS) {
  Object.defineProperty(StreamOperations.prototype, name, {
    configurable: true,
    get(this: StreamOperations) {
      const current = this.live[name];
      if (typeof current !== 'function') return current;
      return name === 'open' ? this.openFile : forwarders[name];
    },
  });
}

const forwarders = Object.fromEntries(
  STREAM_CALLS.map((name) => [
    name,
    function forward(this: StreamOperations, ...args: unknown[]): unknown {
      return (this.live[name] as AnyFunction)(...args);
    },
  ]),
);
