// The program of examples/write-ahead-log.mjs that is killed: several appenders at once, each acknowledged record told
// to ACKNOWLEDGED, a file that outlives it. LIE `early` tells before it is true.
//
//   node log-victim.mjs LOG ACKNOWLEDGED [LIE]
import fs from 'node:fs';
import { WriteAheadLog } from '../../../examples/write-ahead-log.mjs';

const [file, acknowledgedFile, lie] = process.argv.slice(2);
const acknowledged = fs.openSync(acknowledgedFile, 'a');
const next = [0, 0, 0, 0];

const log = await WriteAheadLog.open(file, (payload) => {
  const [writer, number] = payload.toString('latin1').split(' ').map(Number);
  next[writer] = number + 1;
});
process.stdout.write('recovered\n');

async function append(writer) {
  for (;;) {
    const number = next[writer]++;
    const told = () => fs.writeSync(acknowledged, `${writer} ${number}\n`);
    if (lie === 'early') told();
    await log.append(`${writer} ${number} ${'x'.repeat((number * 131 + writer) % 3000)}`);
    if (lie !== 'early') told();
  }
}

await Promise.all(next.map((_, writer) => append(writer)));
