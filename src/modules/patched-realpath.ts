// fs.realpath: node's walk, part by part, over the lstat, stat and readlink of a module. Node's own does the same, but
// looks for pipes and sockets in a memory that only node's lstat and stat fill: with ours it would find what some other
// call has left there.

import type { BigIntStats, Stats } from 'node:fs';
import { resolve } from 'node:path';
import { tryParseNameEncoding, UTF8 } from '../engine/arguments';
import type { Callback } from '../engine/callbacks';
import { nextTick } from '../node/fs';

interface Functions {
  lstat(path: string, options: { bigint: true }, done: (error: unknown, stats: BigIntStats) => void): void;
  stat(path: string, done: (error: unknown, stats: Stats) => void): void;
  readlink(path: string, done: (error: unknown, target: string) => void): void;
}

function encoded(path: string, encoding: string): string | Buffer {
  if (encoding === UTF8) return path;
  const bytes = Buffer.from(path);
  return encoding === 'buffer' ? bytes : bytes.toString(encoding as BufferEncoding);
}

class Walk {
  /** What has been looked at ends here. */
  private position = 1;
  /** The part that is looked at, with all before it. */
  private base = '/';
  private folder = '/';
  private readonly notLinks = new Set<string>();
  private readonly targets = new Map<string, string>();
  /**
   * The last file that was found is a pipe or a socket: links in /proc lead to such, and their targets are no paths.
   */
  private foundPipe = false;

  constructor(
    private readonly module_: Functions,
    private path: string,
    private readonly done: (error: unknown, path?: string) => void,
  ) {}

  next(): void {
    const { path, position, done } = this;
    if (position >= path.length) return void done(null, path);
    const slash = path.indexOf('/', position);
    const end = slash === -1 ? path.length : slash;
    this.folder = path.slice(0, position);
    this.base = path.slice(0, end);
    this.position = slash === -1 ? end : end + 1;
    if (!this.notLinks.has(this.base)) {
      this.module_.lstat(this.base, { bigint: true }, (error, stats) => this.looked(error, stats));
    } else if (this.foundPipe) {
      done(null, path);
    } else {
      nextTick(() => this.next());
    }
  }

  private looked(error: unknown, stats: BigIntStats): void {
    if (error) return void this.done(error);
    this.foundPipe = stats.isFIFO() || stats.isSocket();
    if (!stats.isSymbolicLink()) {
      this.notLinks.add(this.base);
      nextTick(() => this.next());
      return;
    }
    const id = `${stats.dev}:${stats.ino}`;
    const known = this.targets.get(id);
    if (known !== undefined) this.follow(known);
    else this.read(id);
  }

  private read(id: string): void {
    const { base, module_ } = this;
    module_.stat(base, (statError, stats) => {
      if (statError) return void this.done(statError);
      this.foundPipe = stats.isFIFO() || stats.isSocket();
      module_.readlink(base, (error, target) => {
        if (error) return void this.done(error);
        this.targets.set(id, target);
        this.follow(target);
      });
    });
  }

  private follow(target: string): void {
    this.path = resolve(resolve(this.folder, target), this.path.slice(this.position));
    this.position = 1;
    nextTick(() => this.next());
  }
}

/** The absolute path without links, to `callback`. False for what node:fs has to judge. */
export function walkRealPath(module_: object, path: unknown, options: unknown, callback: unknown): boolean {
  const last = typeof options === 'function' ? options : callback;
  const encoding = tryParseNameEncoding(typeof options === 'function' ? undefined : options);
  const text = Buffer.isBuffer(path) ? path.toString() : path;
  if (typeof text !== 'string' || text.includes('\0')) return false;
  if (encoding === undefined || typeof last !== 'function') return false;
  const walk = new Walk(module_ as Functions, resolve(text), (error, found) => {
    if (error) (last as Callback)(error);
    else (last as Callback)(null, encoded(found!, encoding));
  });
  nextTick(() => walk.next());
  return true;
}
