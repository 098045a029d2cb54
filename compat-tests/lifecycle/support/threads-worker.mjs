// A worker whose engine starts all the threads it may have, and then stays until it is told to end, or is terminated.
import { parentPort, workerData } from 'node:worker_threads';
import { backend } from 'ioengine';
import { open, promises } from 'ioengine/fs';
import { engineThreads } from './engine-threads.mjs';

const files = Array.from({ length: 32 }, (_, i) => `${workerData}/${i}`);
// Opens run in the pool, syncs on the ring's own workers where there is a ring.
const handles = await Promise.all(files.map((file) => open(file, 'w+')));
await Promise.all(handles.map((handle) => handle.write('content')));
// Where one thread of the pool gets all the CPU there is, it does everything by itself, and no second one is started.
for (let i = 0; i < 1000 && engineThreads().pool.length < 2; i++) {
  await Promise.all(files.map(() => promises.readdir(workerData)));
}
await Promise.all(handles.map((handle) => handle.sync()));
parentPort.once('message', () => parentPort.close());
parentPort.postMessage({ backend: backend().name, threads: engineThreads() });
await new Promise((resolve) => parentPort.once('close', resolve));
await Promise.all(handles.map((handle) => handle.close()));
