// The child process of every client: node main.mjs PROGRAM WAY FOLDER, with count-calls.cjs preloaded.
// WAY is plain (node:fs), option (the program hands ioengine/fs to its package), modules (what its packages import as
// fs is ioengine/fs) or register (node:fs again, with the preload).
// The program's packages are loaded before anything is counted.
import { pathToFileURL } from 'node:url';

const [, , program, way, folder] = process.argv;
const countsOf = globalThis[Symbol.for('clients.counts')];

if (way === 'modules') {
  const { giveOursToPackages } = await import('./give-fs.mjs');
  giveOursToPackages();
}
const isDirect = way === 'option' || way === 'modules';
const { default: fs } = await import(isDirect ? 'ioengine/fs' : 'node:fs');
const { default: work } = await import(pathToFileURL(program));
const engine = way === 'plain' ? undefined : await import('ioengine');

const difference = (after, before) =>
  typeof after === 'number'
    ? after - (before ?? 0)
    : Object.fromEntries(Object.entries(after).map(([key, value]) => [key, difference(value, before?.[key])]));

const before = { counts: countsOf(), lanes: engine?.stats().lanes };
const result = await work({ fs, folder, way });
const counts = difference(countsOf(), before.counts);
const lanes = engine && difference(engine.stats().lanes, before.lanes);

console.log(JSON.stringify({ result, counts, lanes, backend: engine?.backend().name }));
