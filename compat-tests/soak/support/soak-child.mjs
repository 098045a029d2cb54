// The program of npm run soak: work of every kind, looked at once a second. The last line of its output is a summary.
//
//   node --expose-gc soak-child.mjs FOLDER SECONDS SEED
import fs from 'node:fs';
import { availableParallelism } from 'node:os';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { backend, stats } from 'ioengine';
import ours from 'ioengine/fs';
import { randomFrom } from '../../helpers/random.mjs';
import { Bounds } from './bounds.mjs';
import { echoServer, timerDelays } from './fairness.mjs';
import { work } from './work.mjs';

const { folder, seconds, seed } = workerData ?? {
  folder: process.argv[2],
  seconds: Number(process.argv[3]),
  seed: Number(process.argv[4]),
};

async function runWorker() {
  const done = await work(ours, folder, randomFrom(seed), Date.now() + seconds * 1000, 6);
  parentPort.postMessage(done);
}

/** Workers come and go, each with an engine of its own; half of them are terminated in the middle. */
async function storm(until, random) {
  let count = 0;
  while (Date.now() < until - 500) {
    const own = fs.mkdtempSync(`${folder}/worker-`);
    const options = { folder: own, seconds: 0.2 + random(10) / 10, seed: random(1e9) };
    const worker = new Worker(new URL(import.meta.url), { workerData: options });
    const ended = new Promise((resolve, reject) => worker.on('error', reject).on('exit', resolve));
    if (random(2) === 0) {
      await new Promise((resolve) => setTimeout(resolve, random(600)));
      await worker.terminate();
    }
    await ended;
    fs.rmSync(own, { recursive: true });
    count += 1;
  }
  return count;
}

async function runMain() {
  const random = randomFrom(seed);
  const until = Date.now() + seconds * 1000;
  const timers = timerDelays();
  const sockets = await echoServer();
  const mine = fs.mkdtempSync(`${folder}/main-`);
  const bounds = new Bounds(stats, mine);
  const storms = Array.from({ length: Math.min(2, availableParallelism()) }, () => storm(until, random));
  const sampler = setInterval(() => bounds.sample(), 1000);
  const operations = await work(ours, mine, random, until, 24);
  const workers = (await Promise.all(storms)).reduce((a, b) => a + b, 0);
  clearInterval(sampler);
  const late = { ...timers.end(), ...(await sockets.end()) };
  const faults = [...(await bounds.faults()), ...timers.faults(), ...sockets.faults()];
  const summary = { backend: backend().name, seed, seconds, operations, workers, ...bounds.summary(), ...late, faults };
  console.log(JSON.stringify(summary));
  if (faults.length > 0) process.exitCode = 1;
}

await (isMainThread ? runMain() : runWorker());
