// `ioengine cp SRC DST`.

import { type Command, DONE, FAILED, UsageError, type Values } from './command';
import { type Copied, type CopyOptions, copyFile, Interrupted, partialOf } from './copy-file';
import { type CopyPlan, type FileStep, planCopy } from './copy-tree';
import { Progress } from './progress';
import { bytes, duration, plural } from './text';

type Promises = typeof import('node:fs/promises');
const loadPromises = () => (require('../fs') as typeof import('node:fs')).promises as Promises;

const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
/** Small files at once; one that is large keeps the device busy by itself. */
const FILES_AT_ONCE = 8;
const LARGE = 8 * 1024 * 1024;

const say = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

/** The first signal stops the copy where it can be resumed; the second one ends the process. */
function heedSignals(): { signal: AbortSignal; code(): number; release(): void } {
  const controller = new AbortController();
  let code = 0;
  const listeners = Object.entries(SIGNALS).map(([name, exitCode]) => {
    const listener = (): void => {
      if (controller.signal.aborted) process.exit(exitCode);
      code = exitCode;
      controller.abort();
    };
    process.on(name as NodeJS.Signals, listener);
    return [name, listener] as const;
  });
  const release = (): void => {
    for (const [name, listener] of listeners) process.off(name, listener);
  };
  return { signal: controller.signal, code: () => code, release };
}

async function makeFolders({ folders }: CopyPlan): Promise<void> {
  const { mkdir, stat } = loadPromises();
  for (const { target } of folders) {
    try {
      // Writable while it is filled; its mode comes at the end.
      await mkdir(target, 0o700);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !(await stat(target)).isDirectory()) throw error;
    }
  }
}

async function makeLinks({ links }: CopyPlan): Promise<void> {
  const { readlink, symlink, rm } = loadPromises();
  for (const { source, target } of links) {
    await rm(target, { force: true });
    await symlink(await readlink(source), target);
  }
}

interface Totals extends Copied {
  files: number;
}

async function copyAll(files: FileStep[], options: CopyOptions): Promise<Totals> {
  const totals: Totals = { files: 0, bytes: 0, kept: 0, verifiedPastCache: true };
  const one = async ({ source, target }: FileStep): Promise<void> => {
    const copied = await copyFile(source, target, options);
    totals.files++;
    totals.bytes += copied.bytes;
    totals.kept += copied.kept;
    if (copied.sha256 !== undefined) totals.sha256 = copied.sha256;
    if (copied.verifiedPastCache === false) totals.verifiedPastCache = false;
    if (copied.cloned) totals.cloned = true;
  };
  const small = files.filter(({ size }) => size < LARGE);
  const large = files.filter(({ size }) => size >= LARGE);
  const lane = async (): Promise<void> => {
    for (let step = small.shift(); step !== undefined; step = small.shift()) {
      if (options.signal.aborted) throw new Interrupted('interrupted');
      await one(step);
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: FILES_AT_ONCE }, lane));
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  for (const step of large) await one(step);
  return totals;
}

function summaryOf(totals: Totals, seconds: number, verify: boolean): string {
  const parts = [`${plural(totals.files, 'file')}, ${bytes(totals.bytes)} copied in ${duration(seconds)}`];
  if (totals.bytes > 0 && seconds > 0.1) parts.push(`${bytes(totals.bytes / seconds)}/s`);
  if (totals.cloned) parts.push('as clones that share their blocks');
  if (totals.kept > 0) parts.push(`${bytes(totals.kept)} were there already, compared`);
  if (verify && totals.sha256 !== undefined) {
    const from = totals.verifiedPastCache ? 'from the disk' : 'through the page cache: O_DIRECT is refused here';
    parts.push(`verified, read back ${from}`);
    if (totals.files === 1) parts.push(`sha256 ${totals.sha256}`);
  }
  return parts.join('; ');
}

async function copyPlan(plan: CopyPlan, options: CopyOptions, values: Values, progress: Progress): Promise<number> {
  const started = performance.now();
  await makeFolders(plan);
  const totals = await copyAll(plan.files, options);
  await makeLinks(plan);
  for (const { target, mode } of plan.folders.reverse()) await loadPromises().chmod(target, mode);
  progress.end();
  if (!values.quiet) say(summaryOf(totals, (performance.now() - started) / 1000, values.verify === true));
  for (const path of plan.refused) say(`ioengine cp: ${path} is no file, folder or link: left out`);
  return plan.refused.length === 0 ? DONE : FAILED;
}

async function run(values: Values, positionals: string[]): Promise<number> {
  const [source, target, ...others] = positionals;
  if (source === undefined || target === undefined || others.length > 0) throw new UsageError('it takes SRC and DST');
  const plan = await planCopy(source, target, values.recursive === true);
  const progress = new Progress(
    plan.bytes * (values.verify ? 2 : 1),
    !values.quiet && (values.progress === true || process.stderr.isTTY === true),
  );
  const heard = heedSignals();
  const options: CopyOptions = {
    direct: values.direct === true,
    verify: values.verify === true,
    resume: values.resume === true,
    signal: heard.signal,
    onBytes: (count) => progress.add(count),
  };
  try {
    return await copyPlan(plan, options, values, progress);
  } catch (error) {
    progress.end();
    if (!(error instanceof Interrupted)) throw error;
    const where = plan.files.length === 1 ? ` ${partialOf(plan.files[0]!.target)} has what was copied.` : '';
    say(`ioengine cp: interrupted.${where} The same command with --resume goes on from there.`);
    return heard.code();
  } finally {
    heard.release();
  }
}

export const copy: Command = {
  name: 'cp',
  summary: 'copies files and folders: progress, O_DIRECT, verified, resumable',
  usage: ['[OPTION ...] SRC DST'],
  about:
    'Copies SRC to DST, or into DST where that is a folder. The content goes to a hidden file beside the target, ' +
    '.NAME.ioengine-partial, which takes its place when it is complete: DST is the old file or the new one at any time. ' +
    'The mode is that of SRC, holes stay holes, links in folders stay links; owners and times are not kept.',
  options: {
    recursive: { type: 'boolean', short: 'r', help: 'folders with all that is in them' },
    direct: { type: 'boolean', help: 'O_DIRECT, past the page cache; an error where the filesystem refuses it' },
    verify: {
      type: 'boolean',
      help: 'reads the copy back, from the disk where O_DIRECT works, and compares the sha256',
    },
    resume: {
      type: 'boolean',
      help: 'goes on with a copy that was interrupted: what is there is compared with SRC before it is kept',
    },
    progress: { type: 'boolean', help: 'a line of progress also where standard error is no terminal' },
    quiet: { type: 'boolean', short: 'q', help: 'errors only' },
  },
  notes: [
    ['exit 0', 'everything is copied'],
    ['exit 1', 'something is not, and standard error says what'],
    ['exit 130', 'interrupted (SIGINT; 143 SIGTERM, 129 SIGHUP): --resume goes on. A second signal ends it at once'],
  ],
  run,
};
