// A service with calls on a mount whose server is stopped. The test says on standard input what happens next; each line
// of the output is the answer to one of its words.
//
//   node stuck-child.mjs MOUNT LOCAL COUNT ROUNDS MODULE ONLY
//
// MODULE: ioengine/fs, or node:fs (with and without register). ONLY: `paths`, or nothing for every kind of call.
import { existsSync, readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { pathCalls, prepare } from './calls.mjs';
import { MARKER } from './marker.mjs';
import { measure, startProbes } from './probes.mjs';

const [mount, local, count, rounds, module, only] = process.argv.slice(2);
const { default: fs } = await import(module);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const say = (value) => console.log(JSON.stringify(value));
const word = async () => (await lines.next()).value;

// Without any file open on the mount nothing has been asked for there before the server was stopped.
const calls = only === 'paths' ? pathCalls(fs, mount) : await prepare(fs, mount, Number(count));
const probes = await startProbes(fs, local);
const settled = [];
let pending = 0;

function start(kind, call) {
  for (let i = 0; i < Number(count); i++) {
    pending++;
    const result = call(i).then(
      (value) => ({ kind, value }),
      (error) => ({ kind, code: error.code }),
    );
    settled.push(result.finally(() => pending--));
  }
}

/** { kind: { result: how often } } */
function summary(results) {
  const table = {};
  for (const { kind, value, code } of results) {
    table[kind] ??= {};
    const row = table[kind];
    const key = code ?? JSON.stringify(value) ?? 'undefined';
    row[key] = (row[key] ?? 0) + 1;
  }
  return table;
}

const commands = {
  probe: async () => measure(probes, Number(rounds)),
  call: async () => {
    existsSync(MARKER);
    for (const [kind, call] of Object.entries(calls)) start(kind, call);
    return pending;
  },
  pending: async () => ({ pid: process.pid, pending, threads: readdirSync('/proc/self/task').length }),
  settle: async () => summary(await Promise.all(settled)),
  exit: () => process.exit(0),
};

say('ready');
for (let command = await word(); command !== undefined; command = await word()) say(await commands[command]());
