// One call that makes, changes, lists or opens names, a fixed number at a time. What a round needs is made before it,
// untimed; what it left is verified and removed after it.
import { Buffer } from 'node:buffer';
import fs from 'node:fs';
import process from 'node:process';
import { endOfCall, startOfCall } from './latency.mjs';
import { serve } from './protocol.mjs';
import { loadSubject } from './subject.mjs';

/** @typedef {'writeFile' | 'unlink' | 'rename' | 'mkdir' | 'readdir' | 'open'} Call */
/** @type {{ subject: 'node' | 'ioengine', call: Call, folder: string, depth: number }} */
const config = JSON.parse(process.argv[2]);
const { fs: subject, engine } = await loadSubject(config.subject);
const { promises } = subject;
const root = `${config.folder}/${process.pid}`;
const SIZE = 4096;
const NAMES = 20;
const content = Buffer.from(Array.from({ length: SIZE }, (_, i) => (i * 31) & 255));
const listed = Array.from({ length: NAMES }, (_, i) => `name-${i + 10}`);

/** A hundred folders, so that no directory is long. @param {number} i */
const pathOf = (i) => `${root}/${i % 100}/${i}`;
const renamed = (/** @type {number} */ i) => `${pathOf(i)}.new`;

/** @param {string} what @param {boolean} right */
function must(what, right) {
  if (!right) throw new Error(`${config.call}: ${what}`);
}

/**
 * `before`: what one call needs; `call`: what is timed; `after`: what must be true of it.
 * @typedef {(i: number) => void} Step
 * @type {Record<Call, { before?: Step, call: (i: number) => Promise<unknown>, after: Step }>}
 */
const calls = {
  writeFile: {
    call: (i) => promises.writeFile(pathOf(i), content),
    after: (i) => must(`file ${i} has other bytes`, content.equals(fs.readFileSync(pathOf(i)))),
  },
  unlink: {
    before: (i) => fs.writeFileSync(pathOf(i), ''),
    call: (i) => promises.unlink(pathOf(i)),
    after: (i) => must(`file ${i} is still there`, !fs.existsSync(pathOf(i))),
  },
  rename: {
    before: (i) => fs.writeFileSync(pathOf(i), String(i)),
    call: (i) => promises.rename(pathOf(i), renamed(i)),
    after(i) {
      must(`file ${i} is still there`, !fs.existsSync(pathOf(i)));
      must(`file ${i} is another one`, fs.readFileSync(renamed(i), 'latin1') === String(i));
    },
  },
  mkdir: {
    call: (i) => promises.mkdir(pathOf(i)),
    after: (i) => must(`folder ${i} is not there`, fs.statSync(pathOf(i)).isDirectory()),
  },
  readdir: {
    async call() {
      const names = await promises.readdir(`${root}/listed`);
      if (names.length !== NAMES) must(`${names.length} names`, false);
    },
    after: () => {},
  },
  open: {
    async call() {
      const handle = await promises.open(`${root}/listed/${listed[0]}`, 'r');
      await handle.close();
    },
    after: () => {},
  },
};
const { before, call, after } = calls[config.call];

function makeFolders() {
  fs.rmSync(root, { recursive: true, force: true });
  for (let i = 0; i < 100; i++) fs.mkdirSync(`${root}/${i}`, { recursive: true });
  fs.mkdirSync(`${root}/listed`);
  for (const name of listed) fs.writeFileSync(`${root}/listed/${name}`, content);
}

/** @param {{ next: number, amount: number }} round */
async function loop(round) {
  while (round.next < round.amount) {
    const started = startOfCall();
    await call(round.next++);
    if (started !== 0) endOfCall(started);
  }
}

const loops = (/** @type {number} */ amount) => {
  const round = { next: 0, amount };
  return Promise.all(Array.from({ length: config.depth }, () => loop(round)));
};

/** @param {number} amount */
function begin(amount) {
  makeFolders();
  if (before) for (let i = 0; i < amount; i++) before(i);
}

/** @param {number} amount */
function check(amount) {
  for (let i = 0; i < amount; i++) after(i);
}

process.on('exit', () => fs.rmSync(root, { recursive: true, force: true }));

await serve({
  async prepare() {
    begin(config.depth);
    await loops(config.depth);
    check(config.depth);
    must('other names', (await promises.readdir(`${root}/listed`)).sort().join() === listed.join());
  },
  facts: () => ({ backend: engine?.backend() }),
  lanes: () => engine?.stats().lanes,
  begin,
  async run(amount) {
    await loops(amount);
    return { work: amount };
  },
  check,
});
