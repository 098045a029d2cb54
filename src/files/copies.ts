// cp in a few trips: plainly well-formed calls as the engine takes them, undefined for those that node:fs is to judge.

import { resolve } from 'node:path';
import { countDelegated } from '../engine/runtime';
import { isOptions, plainPath } from '../internal/arguments';
import { WALKS_FROM_JAVASCRIPT } from '../internal/host';
import {
  type Addon,
  COPY_ONLY_FOLDERS,
  COPY_PART,
  COPY_RECURSIVE,
  COPY_STEP_LINK,
  COPY_STEP_MODE,
  COPY_STOPPED,
  COPY_VERBATIM_LINKS,
} from '../native/addon';
import { type PathCall, promised } from './path-call';
import { goesBack } from './trees';

/** So many steps go with one trip: in a large directory many more may wait. */
const STEPS_MAX = 1024;

const SEPARATOR = '\0';

class Copying implements PathCall {
  /** Steps that are still to be taken; the last of them first. */
  private left: string[] = [];
  /** Steps that come behind all of these. */
  private links: string[] = [];
  private modes: string[] = [];
  private goesOn = false;
  /** Of node's cp: thrown when the complete directories have their modes, as after node's. */
  private failure: { error: unknown } | undefined;

  constructor(
    readonly path: string,
    readonly target: string,
    readonly options: number,
    readonly again: () => unknown,
  ) {}

  get syscall(): string {
    return 'cp';
  }

  get chained(): boolean {
    return true;
  }

  accept(native: Addon, pathFlags: number): number {
    const below = this.left.splice(-STEPS_MAX).join(SEPARATOR);
    const part = this.left.length + this.links.length + this.modes.length > 0 ? COPY_PART : 0;
    return native.copyTree(this.path, this.target, this.options | part, below, pathFlags);
  }

  value(): undefined {
    return undefined;
  }

  async goOn(slot: number, native: Addon): Promise<unknown> {
    const steps = native.takeText(slot).split(SEPARATOR);
    const stopped = steps.at(-1) === COPY_STOPPED;
    if (stopped) steps.pop();
    for (const step of steps) this.listOf(step).push(step);
    if (stopped) await this.leaveToNode();
    if (!this.goesOn) {
      this.goesOn = true;
      while (this.hasSteps()) await promised(this, () => this.leaveToNode());
      if (this.failure !== undefined) throw this.failure.error;
    }
    return undefined;
  }

  private listOf(step: string): string[] {
    if (step.startsWith(COPY_STEP_LINK)) return this.links;
    return step.startsWith(COPY_STEP_MODE) ? this.modes : this.left;
  }

  private hasSteps(): boolean {
    if (this.left.length === 0) {
      this.left = [...this.modes, ...this.links];
      this.links = [];
      this.modes = [];
    }
    return this.left.length > 0;
  }

  /** Node finds the directories that we have made, and leaves their modes as they are. */
  private async leaveToNode(): Promise<void> {
    const { left } = this;
    const modes = [...this.modes, ...left.filter(isModeStep)];
    this.left = [];
    this.links = [];
    this.modes = [];
    if (this.failure !== undefined) return;
    countDelegated();
    try {
      await this.again();
      this.modes = modes;
    } catch (error) {
      this.failure = { error };
      const incomplete = foldersOf(left);
      this.modes = modes.filter((step) => !incomplete.has(pathOf(step)));
    }
  }
}

const isModeStep = (step: string): boolean => step.startsWith(COPY_STEP_MODE);

/** A step is a letter and a path, or a letter, a number, a slash and a path. */
const pathOf = (step: string): string => step.replace(/^(?:[cl]|[gm]\d+\/)/, '');

/** What steps are about, and the folders in which it is. Links that only wait for their turn do not keep a folder from being complete. */
function foldersOf(steps: readonly string[]): Set<string> {
  const folders = new Set<string>();
  steps.forEach((step, index) => {
    if (isModeStep(step) || (step.startsWith(COPY_STEP_LINK) && index < steps.length - 1)) return;
    for (let path = pathOf(step); !folders.has(path); path = path.slice(0, Math.max(0, path.lastIndexOf('/')))) {
      folders.add(path);
    }
  });
  return folders;
}

const isBoolean = (value: unknown): boolean => typeof value === 'boolean';
const isOff = (value: unknown): boolean => value === false;

/** With others node is to go through the tree. */
const OPTIONS: Record<string, (value: unknown) => boolean> = {
  recursive: isBoolean,
  verbatimSymlinks: isBoolean,
  errorOnExist: isBoolean,
  force: (value) => value === true,
  dereference: isOff,
  preserveTimestamps: isOff,
  filter: (value) => value === undefined,
  mode: (value) => value === undefined || value === 0,
};

function plainOptions(given: unknown): number | undefined {
  if (given !== undefined && !isOptions(given)) return undefined;
  const asked: Record<string, unknown> = { ...given };
  for (const name in asked) if (!OPTIONS[name]?.(asked[name])) return undefined;
  return (asked.recursive ? COPY_RECURSIVE : 0) | (asked.verbatimSymlinks ? COPY_VERBATIM_LINKS : 0);
}

/** A path whose parts mean what they say. */
function plainName(given: unknown): string | undefined {
  const path = plainPath(given);
  return typeof path === 'string' && path !== '' && !goesBack(path) ? path : undefined;
}

/** Only a directory may stand there. */
const ENDS_WITH_SLASH = /\/\.?$/;

/** `again`: node's cp with a promise. */
export function plainCp(from: unknown, to: unknown, given: unknown, again: () => unknown): PathCall | undefined {
  const source = WALKS_FROM_JAVASCRIPT ? plainName(from) : undefined;
  const target = plainName(to);
  const options = plainOptions(given);
  if (source === undefined || target === undefined || options === undefined) return undefined;
  const path = resolve(source);
  const into = resolve(target);
  if (`${into}/`.startsWith(`${path}/`) || path === '/') return undefined;
  const onlyFolders = ENDS_WITH_SLASH.test(source) || ENDS_WITH_SLASH.test(target);
  return new Copying(path, into, options | (onlyFolders ? COPY_ONLY_FOLDERS : 0), again);
}
