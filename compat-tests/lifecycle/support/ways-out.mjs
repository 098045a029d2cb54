// Every way out of a program or a Worker, at every stage of its work, as children that do it and end.
import fs from 'node:fs';
import { startChild } from '../../helpers/child.mjs';
import { randomFrom } from '../../helpers/random.mjs';

/** What a program has done when it goes; nothing of it is awaited but what the stage needs. */
const stages = {
  created: `engine.backend(); engine.probe();`,
  opened: `await open(file); await open(file, true);`,
  reading: `
    for (const handle of [await open(file), await open(file, true)]) {
      for (let i = 0; i < 24; i++) quietly(handle.read(Buffer.alloc(4096), 0, 4096, i * 4096));
      for (let i = 0; i < 8; i++) quietly(handle.write(Buffer.alloc(4096, i), 0, 4096, i * 4096));
    }
    quietly(fs.promises.readFile(file)), quietly(fs.promises.cp(file, file + '.copy' + process.pid));
    fs.createReadStream(file).on('data', () => {}).on('error', () => {});
    fs.createWriteStream(file + '.stream' + process.pid).write(Buffer.alloc(100_000));
    fs.stat(file, () => {});`,
  closing: `
    const handles = [await open(file), await open(file, true)];
    for (const handle of handles) {
      for (let i = 0; i < 24; i++) quietly(handle.read(Buffer.alloc(4096), 0, 4096, i * 4096));
      quietly(handle.close());
    }
    const stream = fs.createReadStream(file).on('error', () => {});
    stream.once('data', () => stream.destroy());`,
};

/** How it goes; `wait` is some milliseconds of the seed's. */
const ways = {
  'exit()': { how: `process.exit(7);`, status: 7 },
  'a throw': { how: `setImmediate(() => { throw new Error('on purpose'); });`, status: 1 },
  'an unhandled rejection': { how: `Promise.reject(new Error('on purpose'));`, status: 1 },
  SIGTERM: { how: `process.kill(process.pid, 'SIGTERM'); await forever();`, signal: 'SIGTERM' },
  SIGINT: { how: `process.kill(process.pid, 'SIGINT'); await forever();`, signal: 'SIGINT' },
  'nothing left to do': { how: ``, status: 0 },
  'exit() of a Worker': { worker: true, how: `process.exit(5);`, status: 0, ended: 5 },
  'a throw in a Worker': { worker: true, how: `setImmediate(() => { throw new Error('on purpose'); });`, ended: 1 },
  'terminate()': { worker: true, how: `parentPort.postMessage('now'); await forever();`, ended: 1 },
  'exit() while a Worker works': {
    worker: true,
    how: `parentPort.postMessage('exit'); await forever();`,
    status: 7,
  },
};

const body = (stage, how) => `
  const forever = () => new Promise((resolve) => setTimeout(resolve, 100_000));
  const quietly = (promise) => promise.catch(() => {});
  const open = (path, direct) => fs.open(path, { flags: 'r+', direct: direct ? 'try' : false });
  await (async () => { ${stages[stage]} })();
  if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
  process._rawDebug('${stage}');
  ${how}`;

const program = (stage, { how, worker }) =>
  worker
    ? `
  import { Worker, isMainThread } from 'node:worker_threads';
  const code = ${JSON.stringify(`
  (async () => {
    const { workerData: { file, wait }, parentPort } = require('node:worker_threads');
    const fs = require('ioengine/fs');
    const engine = require('ioengine');
    ${body(stage, how)}
  })();`)};
  const workerData = { file: process.argv[1], wait: Number(process.argv[2]) };
  const worker = new Worker(code, { eval: true, execArgv: [], workerData });
  worker.on('error', (error) => console.error(error.message));
  worker.on('message', (word) => (word === 'exit' ? process.exit(7) : worker.terminate()));
  const status = await new Promise((resolve) => worker.on('exit', resolve));
  console.log(JSON.stringify(status));`
    : `
  import fs from 'ioengine/fs';
  import * as engine from 'ioengine';
  const [file, wait] = [process.argv[1], Number(process.argv[2])];
  ${body(stage, how)}`;

/** [{ title, stage, way }]: all of them. */
export const matrix = Object.keys(stages).flatMap((stage) =>
  Object.entries(ways).map(([name, way]) => ({ title: `${name}, ${stage}`, stage, way })),
);

/** Runs one; undefined, or what was wrong with how it went. */
export async function leave({ title, stage, way }, { file, seed, node = process.execPath, backend }) {
  const wait = randomFrom(seed)(3) === 0 ? 0 : randomFrom(seed)(12);
  const child = startChild({
    node,
    code: program(stage, way),
    args: [file, String(wait)],
    env: { IOENGINE_BACKEND: backend },
  });
  await child.ended();
  for (const name of ['copy', 'stream']) fs.rmSync(`${file}.${name}${child.pid}`, { force: true });
  const wrong = (what) => `${title}, seed ${seed}: ${what}; ${child.describe()}`;
  if (child.timedOut) return wrong('it did not end');
  if (way.signal !== undefined && child.signal !== way.signal) return wrong(`not ended by ${way.signal}`);
  if (way.signal === undefined && child.signal !== null) return wrong('it crashed');
  if (way.signal === undefined && child.status !== (way.status ?? 0)) return wrong(`status is not ${way.status ?? 0}`);
  if (way.ended !== undefined && child.json() !== way.ended) return wrong(`the Worker did not end with ${way.ended}`);
  if (!child.stderr.includes(stage)) return wrong('it never came so far');
  return undefined;
}
