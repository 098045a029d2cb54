// npm run test:stuck-mount: a service with 10,000 calls of every kind on a mount whose server has stopped. What else it
// does is timed with the mount idle and stuck, on every backend, by import and under register, and in plain node.
//
//   npm run test:stuck-mount                       all of it, some minutes; on a quiet machine
//   npm run test:stuck-mount -- --side uring/import --rounds 500 --calls 10000
//
// The bar: p50 and p99 are at most 1.1 times those of the idle mount, and 1 ms. Plain node is no subject of it. Ends
// with 1 where a bar is missed, where a call has not settled right, or where there are more threads than there may be.
import { existsSync } from 'node:fs';
import os from 'node:os';
import { parseArgs } from 'node:util';
import { removeDirectory, temporaryDirectory } from '../compat-tests/helpers/tempdir.mjs';
import { RESULTS } from '../compat-tests/mounts/support/calls.mjs';
import { StuckService } from '../compat-tests/mounts/support/stuck-service.mjs';
import { openRemoteMount } from '../compat-tests/helpers/remote-mount.mjs';
import { main, PlainError } from './lib/run.mjs';
import { setUp } from './setup.mjs';

const BACKENDS = ['uring', 'aio', 'threads'];
const SIDES = ['node', ...BACKENDS.flatMap((backend) => [`${backend}/import`, `${backend}/register`])];
const RATIO = 1.1;
const MORE_MS = 1;
/** That support/calls.mjs makes. */
const KINDS = 25;
/** limits::threads_max of csrc/base/limits.h, and those of node itself. */
const THREADS_MAX = 161 + 20;

const isWithin = (idle, stuck) => ['p50', 'p99'].every((part) => stuck[part] <= idle[part] * RATIO + MORE_MS);

function table(idle, stuck, hasBar) {
  const cell = ({ p50, p99 }) => `${p50.toFixed(2).padStart(8)} ${p99.toFixed(2).padStart(8)}`;
  const rows = Object.keys(idle).map((name) => {
    const verdict = isWithin(idle[name], stuck[name]) ? 'within' : 'missed';
    return `  ${name.padEnd(26)} ${cell(idle[name])}   ${cell(stuck[name])}   ${hasBar ? verdict : ''}`.trimEnd();
  });
  const heading = `  ${'milliseconds'.padEnd(26)} idle p50      p99   stuck p50      p99`;
  return [heading, ...rows].join('\n');
}

/** Calls that did not bring what they are to bring, by kind. */
function wrongResults(settled, count) {
  return Object.entries(settled).flatMap(([kind, results]) => {
    const wanted = JSON.stringify(RESULTS[kind]) ?? 'undefined';
    return results[wanted] === count ? [] : [`${kind}: ${JSON.stringify(results)}`];
  });
}

async function measureSide(side, { rounds, calls }) {
  const [backend, way = 'node'] = side.split('/');
  const mount = await openRemoteMount({ cacheS: 0 });
  if (mount.skipped) throw new PlainError(`there can be no such mount here: ${mount.skipped}`);
  const local = temporaryDirectory();
  const count = Math.ceil(calls / KINDS);
  const env = way === 'node' ? {} : { IOENGINE_BACKEND: backend };
  const service = new StuckService({ way, mount: mount.mountPoint, local, count, rounds, env, timeoutMs: 300_000 });
  try {
    await service.ready();
    await service.ask('probe');
    const idle = await service.ask('probe');
    mount.stop();
    const made = await service.ask('call');
    const stuck = await service.ask('probe');
    const { pending, threads } = await service.ask('pending');
    mount.go();
    const wrong = wrongResults(await service.ask('settle'), count);
    return { idle, stuck, made, pending, threads, wrong };
  } finally {
    service.kill();
    mount.close();
    removeDirectory(local);
  }
}

function faultsOf(side, { idle, stuck, made, pending, threads, wrong }) {
  if (side === 'node') return wrong;
  const missed = Object.keys(idle).filter((name) => !isWithin(idle[name], stuck[name]));
  return [
    ...missed.map((name) => `${name} is slower than the bar`),
    ...(pending === made ? [] : [`${made - pending} calls ended while the server was stopped`]),
    ...(threads <= THREADS_MAX ? [] : [`${threads} threads, of which there may be ${THREADS_MAX}`]),
    ...wrong,
  ];
}

await main(async () => {
  const { values } = parseArgs({
    options: {
      side: { type: 'string', multiple: true, default: [] },
      rounds: { type: 'string', default: '300' },
      calls: { type: 'string', default: '10000' },
    },
  });
  const sides = values.side.length > 0 ? values.side.flatMap((list) => list.split(',')) : SIDES;
  const unknown = sides.find((side) => !SIDES.includes(side));
  if (unknown !== undefined) throw new PlainError(`unknown side ${unknown}: choose one of ${SIDES.join(', ')}`);
  if (!existsSync('/proc/self/mountinfo')) throw new PlainError('this needs Linux');
  await setUp({ purpose: 'test' });
  console.log(`Node ${process.version}, Linux ${os.release()}, ${os.availableParallelism()} processors`);
  const faults = [];
  for (const side of sides) {
    const figures = await measureSide(side, { rounds: Number(values.rounds), calls: Number(values.calls) });
    const { made, pending, threads } = figures;
    console.log(`\n${side}: ${made} calls made, ${pending} waiting, ${threads} threads`);
    console.log(table(figures.idle, figures.stuck, side !== 'node'));
    const found = faultsOf(side, figures);
    for (const fault of found) console.log(`  ! ${fault}`);
    faults.push(...found);
  }
  if (faults.length > 0) process.exitCode = 1;
});
