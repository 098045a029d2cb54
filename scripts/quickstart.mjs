// npm run quickstart [FILE]: the main job on real input. Copies a file through createReadStream ->
// createWriteStream on every backend, buffered and O_DIRECT, beside node:fs; verifies every copy by SHA-256.
import { fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { inRoot, root } from './lib/paths.mjs';
import { main, PlainError } from './lib/run.mjs';
import { setUp } from './setup.mjs';

const rounds = 3;
const megabyte = 1e6;

/**
 * @typedef {{
 *   name: string, mode: string, direct: boolean, rates: number[],
 *   operations?: object, problem?: string, wrong?: string,
 * }} Side
 */

/** @returns {Side[]} */
function sides() {
  const list = [{ name: 'node:fs', mode: 'buffered', direct: false, rates: [] }];
  for (const name of ['uring', 'aio', 'threads']) {
    list.push({ name, mode: 'buffered', direct: false, rates: [] }, { name, mode: 'direct', direct: true, rates: [] });
  }
  return list;
}

async function sha256(file) {
  const hash = createHash('sha256');
  await pipeline(fs.createReadStream(file, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}

/** A folder beside the repository, where O_DIRECT most likely works; the system's own where that is read-only. */
function makeFolder() {
  try {
    return fs.mkdtempSync(path.join(root, '.quickstart-'));
  } catch {
    return fs.mkdtempSync(path.join(os.tmpdir(), 'ioengine-quickstart-'));
  }
}

/** Why O_DIRECT cannot work for this copy; undefined when it can. The kernel is asked, through node:fs. */
function directRefusal(source, folder) {
  const probe = path.join(folder, 'probe');
  const { O_RDONLY, O_RDWR, O_CREAT, O_DIRECT } = fs.constants;
  for (const [what, file, flags] of [
    ['the source', source, O_RDONLY | O_DIRECT],
    [folder, probe, O_RDWR | O_CREAT | O_DIRECT],
  ]) {
    try {
      fs.closeSync(fs.openSync(file, flags));
    } catch (error) {
      return `the filesystem of ${what} has no O_DIRECT (${error.code})`;
    } finally {
      if (file === probe) fs.rmSync(probe, { force: true });
    }
  }
  return undefined;
}

const describe = ({ message, cause, fix }) =>
  [message, cause && !message.includes(cause) && `cause: ${cause}`, fix && !message.includes(fix) && `fix: ${fix}`]
    .filter(Boolean)
    .join('; ');

/** A worker process on one backend. call() resolves with the worker's answer. */
class Worker {
  constructor(name) {
    const side = name === 'node:fs' ? 'node' : 'ioengine';
    const env = { ...process.env };
    if (side === 'ioengine') env.IOENGINE_BACKEND = name;
    this.child = fork(inRoot('scripts', 'lib', 'copy-worker.mjs'), [JSON.stringify({ side })], { env });
    this.ready = this.answer();
  }

  answer(onProgress = () => {}) {
    return new Promise((resolve) => {
      const onMessage = (message) => (message.progress === undefined ? settle(message) : onProgress(message.progress));
      const onExit = (status, signal) => settle({ failed: { message: `the process ended (${signal ?? status})` } });
      const settle = (message) => {
        this.child.off('message', onMessage).off('exit', onExit);
        resolve(message);
      };
      this.child.on('message', onMessage).on('exit', onExit);
    });
  }

  call(command, onProgress) {
    if (!this.child.connected) return Promise.resolve({ failed: { message: 'the process has ended' } });
    const answer = this.answer(onProgress);
    this.child.send(command);
    return answer;
  }

  end() {
    if (this.child.connected) this.child.disconnect();
  }
}

class Progress {
  constructor(size) {
    this.size = size;
    this.live = process.stderr.isTTY;
  }

  start(title) {
    this.title = title;
    if (!this.live) process.stderr.write(`${title}\n`);
    this.update(0);
  }

  update(bytes) {
    if (!this.live) return;
    const share = this.size === 0 ? 1 : Math.min(1, bytes / this.size);
    const bar = '#'.repeat(Math.round(share * 30)).padEnd(30, '.');
    process.stderr.write(`\r\x1b[K${this.title.padEnd(32)} [${bar}] ${String(Math.round(share * 100)).padStart(3)} %`);
  }

  clear() {
    if (this.live) process.stderr.write('\r\x1b[K');
  }
}

/**
 * Did the backend do anything for this copy? Only O_DIRECT is sure to reach it: what is in the page cache is served
 * inline, and buffered writes may be better off on threads.
 */
function servedByBackend({ name, direct, operations }, size) {
  return name === 'node:fs' || !direct || size < 1 << 20 || operations[name] > 0;
}

async function copyOnce(side, worker, job, progress) {
  const target = path.join(job.folder, 'copy');
  const command = { source: job.source, target, direct: side.direct };
  const answer = await worker.call(command, (bytes) => progress.update(bytes));
  if (answer.done) {
    // A copy is judged through node:fs, by content and by nothing that the engine reports.
    const sum = await sha256(target);
    if (sum !== job.sum) side.wrong = `the copy differs: ${sum}`;
    side.rates.push(job.size / megabyte / (answer.done.wall_ms / 1000));
    side.operations = answer.done.operations;
    if (!servedByBackend(side, job.size)) side.wrong ??= `the ${side.name} lane served no operation`;
  } else {
    side.wrong = describe(answer.failed);
  }
  fs.rmSync(target, { force: true });
}

/** All sides in turn, several times: a drifting machine then drifts for all of them. */
async function copyAll(list, job, progress) {
  const refusal = directRefusal(job.source, job.folder);
  const workers = new Map();
  try {
    for (const side of list) {
      if (!workers.has(side.name)) workers.set(side.name, new Worker(side.name));
      const { unavailable, failed } = await workers.get(side.name).ready;
      if (unavailable?.code === 'ERR_IOENGINE_BACKEND_UNAVAILABLE') side.problem = describe(unavailable);
      else if (unavailable ?? failed) side.wrong = describe(unavailable ?? failed);
      else if (side.direct && refusal) side.problem = refusal;
    }
    for (let round = 1; round <= rounds; round += 1) {
      for (const side of list) {
        if (side.problem || side.wrong) continue;
        progress.start(`round ${round}/${rounds}: ${side.name}, ${side.mode}`);
        await copyOnce(side, workers.get(side.name), job, progress);
      }
    }
  } finally {
    progress.clear();
    for (const worker of workers.values()) worker.end();
  }
}

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

function describeOperations(operations) {
  if (!operations) return '';
  const used = Object.entries(operations).filter(([, count]) => count > 0);
  return used.map(([lane, count]) => `${lane} ${count}`).join(', ');
}

function rowOf(side, base) {
  if (side.wrong) return [side.name, side.mode, 'FAILED', '', '', side.wrong];
  if (side.problem) return [side.name, side.mode, '-', '', '', `not run, because ${side.problem}`];
  const rate = median(side.rates);
  const ratio = base ? `${(rate / base).toFixed(2)}x` : '';
  return [side.name, side.mode, rate.toFixed(0), ratio, 'same', describeOperations(side.operations)];
}

function printTable(list) {
  const [node] = list;
  const base = node.rates.length > 0 ? median(node.rates) : undefined;
  const header = ['backend', 'mode', 'MB/s', 'node:fs', 'SHA-256', 'operations per lane (one copy)'];
  const rows = [header, ...list.map((side) => rowOf(side, base))];
  const widths = header.map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const isNumber = (column) => column === 2 || column === 3;
  const pad = (cell, column) => (isNumber(column) ? cell.padStart(widths[column]) : cell.padEnd(widths[column]));
  const line = (row) => row.map(pad).join('  ').trimEnd();
  console.log(line(header));
  console.log(widths.map((width) => '-'.repeat(width)).join('  '));
  for (const row of rows.slice(1)) console.log(line(row));
}

function openSource() {
  const given = process.argv[2] ?? process.execPath;
  const stat = fs.statSync(given, { throwIfNoEntry: false });
  if (!stat) throw new PlainError(`no such file: ${given}`);
  if (!stat.isFile()) throw new PlainError(`not a regular file: ${given}`);
  return { source: fs.realpathSync(given), size: stat.size };
}

await main(async () => {
  await setUp();
  const { source, size } = openSource();
  const folder = makeFolder();
  const removeFolder = () => fs.rmSync(folder, { recursive: true, force: true });
  process.once('SIGINT', () => {
    removeFolder();
    process.exit(130);
  });
  try {
    // Reading it here also warms the page cache: no side pays for the first read from the disk.
    const sum = await sha256(source);
    console.log(`Copying ${source} (${(size / megabyte).toFixed(1)} MB), median of ${rounds} rounds, sides in turn\n`);
    const list = sides();
    await copyAll(list, { source, size, sum, folder }, new Progress(size));
    printTable(list);
    const failed = list.filter((side) => side.wrong).length;
    const ran = list.filter((side) => side.name !== 'node:fs' && side.rates.length > 0).length;
    if (failed > 0 || ran === 0) process.exitCode = 1;
    console.log(failed > 0 ? `\n${failed} FAILED` : `\nEvery copy has the SHA-256 of the source: ${sum}`);
  } finally {
    removeFolder();
  }
});
