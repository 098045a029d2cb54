// npm run test:slow-mount: throughput on a mount whose server answers each request after 1 ms, any number of them side
// by side: what a network filesystem is to a program. The engine on each backend, plain node, and plain node with 128
// threads, in turn.
//
//   npm run test:slow-mount -- [--rounds N] [--seconds S] [--side node,node-128,uring,aio,threads]
//
// The bars: five times plain node, and (of reads) as much as node with 128 threads. A missed one is a result, not a
// failure. `--delay-us 0` shows what the server itself is able to do.
import os from 'node:os';
import { parseArgs } from 'node:util';
import { openRemoteMount } from '../compat-tests/helpers/remote-mount.mjs';
import { inRoot } from './lib/paths.mjs';
import { main, PlainError, runCollecting } from './lib/run.mjs';
import { prepareFiles } from './lib/slow-mount-files.mjs';
import { setUp } from './setup.mjs';

const worker = inRoot('scripts', 'lib', 'slow-mount-worker.mjs');
const SIDES = {
  node: { module: 'node:fs', env: {} },
  'node-128': { module: 'node:fs', env: { UV_THREADPOOL_SIZE: '128' } },
  uring: { module: 'ioengine/fs', env: { IOENGINE_BACKEND: 'uring' } },
  aio: { module: 'ioengine/fs', env: { IOENGINE_BACKEND: 'aio' } },
  threads: { module: 'ioengine/fs', env: { IOENGINE_BACKEND: 'threads' } },
};
const TIMES_NODE = 5;
const TIMES_NODE_128 = 1;

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

async function prepare(delayUs) {
  const mount = await openRemoteMount({ cacheS: 0, directIo: true });
  if (mount.skipped) throw new PlainError(`there can be no such mount here: ${mount.skipped}`);
  prepareFiles(mount.mountPoint);
  await mount.setDelay(delayUs);
  return mount;
}

async function measure(side, folder, seconds) {
  const { module, env } = SIDES[side];
  const args = [worker, module, folder, String(seconds)];
  const { status, output } = await runCollecting(process.execPath, args, { env: { ...process.env, ...env } });
  if (status !== 0) throw new PlainError(`${side} failed: ${output}`);
  return JSON.parse(output.trim().split('\n').at(-1));
}

function report(rounds, sides) {
  for (const task of Object.keys(rounds[0][sides[0]])) {
    console.log(`\n${task}`);
    for (const side of sides) {
      const rates = rounds.map((round) => round[side][task]);
      const times = (other) => median(rounds.map((round) => round[side][task] / round[other][task]));
      const compared = ['node', 'node-128'].filter((other) => sides.includes(other) && !side.startsWith('node'));
      const ratios = compared.map((other) => {
        const bar = other === 'node' ? TIMES_NODE : TIMES_NODE_128;
        const hasBar = other === 'node' || task.startsWith('read 4');
        const verdict = !hasBar ? '' : times(other) >= bar ? ', met' : ', missed';
        return `${times(other).toFixed(2)} × ${other}${verdict}`;
      });
      console.log(
        `  ${side.padEnd(9)} ${Math.round(median(rates)).toString().padStart(8)}/s   ${ratios.join('   ')}`.trimEnd(),
      );
    }
  }
}

await main(async () => {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '1' },
      side: { type: 'string', default: Object.keys(SIDES).join(',') },
      'delay-us': { type: 'string', default: '1000' },
    },
  });
  const sides = values.side.split(',');
  const unknown = sides.find((side) => SIDES[side] === undefined);
  if (unknown !== undefined)
    throw new PlainError(`unknown side ${unknown}: choose one of ${Object.keys(SIDES).join(', ')}`);
  await setUp({ purpose: 'test' });
  const mount = await prepare(Number(values['delay-us']));
  try {
    const rounds = [];
    for (let i = 0; i < Number(values.rounds); i++) {
      const round = {};
      for (const side of sides) round[side] = await measure(side, mount.mountPoint, Number(values.seconds));
      rounds.push(round);
    }
    console.log(`Node ${process.version}, Linux ${os.release()}, ${os.availableParallelism()} processors`);
    report(rounds, sides);
  } finally {
    mount.close();
  }
});
