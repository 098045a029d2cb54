// npm run test:gluster: the engine on a real network filesystem, a GlusterFS volume of three replicas in a network
// namespace of its own (root only; Debian's glusterfs-server is installed where it is missing). Cleans up in any case.
//
//   npm run test:gluster -- [--only direct,parity,steps,brick,throughput] [--backend uring,aio,threads]
//                           [--runs 600] [--files read-file,open,…]
//
// direct      O_DIRECT, where what is not aligned fails as with node:fs or works
// parity      tests of compat-tests/parity with their files on the volume
// steps       random steps on files and on paths, node:fs beside the engine: with --runs 600 about 50,000 each, half an
//             hour or more for a backend
// brick       a brick is killed under load, started again and healed: the files are what they have to be, on all bricks
// throughput  node:fs with 4 and with 64 threads, the engine, fio
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startChild } from '../compat-tests/helpers/child.mjs';
import { BRICKS, GlusterVolume } from './lib/gluster-volume.mjs';
import { inRoot } from './lib/paths.mjs';
import { ensure } from './lib/requirements.mjs';
import { findProgram, main, PlainError, runCollecting, say } from './lib/run.mjs';
import { prepareFiles } from './lib/slow-mount-files.mjs';
import { setUp } from './setup.mjs';

const present = (name) => () => findProgram(name) !== undefined;
const NEEDED = [
  { what: 'glusterd', debian: 'glusterfs-server', present: present('glusterd') },
  { what: 'glusterfs', debian: 'glusterfs-client', present: present('glusterfs') },
  { what: 'ip', debian: 'iproute2', present: present('ip') },
  { what: 'nsenter', debian: 'util-linux', present: present('nsenter') },
  { what: 'fio', debian: 'fio', present: present('fio') },
];

/** Those of compat-tests/parity that compare results on whatever filesystem their folder is on. */
const PARITY = [
  ...['access', 'attributes-and-copies', 'cp', 'handle-io', 'open', 'opendir', 'path-changes', 'read', 'readdir'],
  ...['read-file', 'rm', 'stat', 'vectored', 'write', 'write-file'],
];
const LOAD_S = 6;
const HEAL_S = 120;

const digestOf = (file) => createHash('sha256').update(readFileSync(file)).digest('hex');

/** Runs a program to its end; what it said is shown where it failed. */
async function check(args, env) {
  const { status, output } = await runCollecting(process.execPath, args, { env: { ...process.env, ...env } });
  if (status !== 0) throw new PlainError(`${path.basename(args[0])} failed:\n${output.slice(-6000)}`);
  return output.trim().split('\n');
}

/** Aligned reads and writes work; what the filesystem says of others is what node:fs is told, too. */
const DIRECT = `
  import { deepStrictEqual, strictEqual } from 'node:assert';
  import nodeFs from 'node:fs';
  import { alignedBuffer } from 'ioengine';
  import fs from 'ioengine/fs';
  const file = process.argv[1];
  const { O_DIRECT, O_RDWR, O_CREAT } = fs.constants;
  const handle = await fs.open(file, { flags: 'w+', direct: true });
  const flags = nodeFs.readFileSync('/proc/self/fdinfo/' + handle.fd, 'latin1').match(/flags:\\s*(\\d+)/)[1];
  strictEqual(Number.parseInt(flags, 8) & O_DIRECT, O_DIRECT);
  const content = alignedBuffer(40_960).map((_, i) => i * 7);
  for (let at = 0; at < content.length; at += 8192)
    strictEqual((await handle.write(content, at, 8192, at)).bytesWritten, 8192);
  const other = await nodeFs.promises.open(file, O_RDWR | O_DIRECT);
  for (const [at, size] of [[0, 40_960], [4096, 4096], [36_864, 8192], [1, 1], [8191, 3], [40_000, 100]]) {
    const [ours, nodes] = [alignedBuffer(size), alignedBuffer(size)];
    const told = (side, into) => side.read(into, 0, size, at).then(({ bytesRead }) => bytesRead, ({ code }) => code);
    const found = [await told(handle, ours), await told(other, nodes)];
    strictEqual(found[0], found[1]);
    deepStrictEqual(ours, nodes);
    if (at % 4096 === 0) deepStrictEqual(ours.subarray(0, found[0]), content.subarray(at, at + size));
  }
  await handle.close();
  await other.close();
  deepStrictEqual(Buffer.compare(await fs.promises.readFile(file), content), 0);`;

async function direct({ volume, backends }) {
  for (const backend of backends) {
    const code = DIRECT;
    const file = `${volume.mountPoint}/direct-${backend}`;
    await check(['--input-type=module', '-e', code, '--', file], { IOENGINE_BACKEND: backend });
    rmSync(file);
  }
  return `O_DIRECT on ${backends.join(', ')}`;
}

const suite = (files, backend, folder, env) => {
  const args = [inRoot('compat-tests', 'run.mjs'), '--jobs', '1', '--backend', backend, ...files];
  return check(args, { ...env, TMPDIR: folder, IOENGINE_TEST_PATIENCE_MS: '300000', IOENGINE_TEST_DEADLINE_S: '3600' });
};

async function parity({ volume, backends, files }) {
  const said = [];
  for (const backend of backends) {
    const folder = `${volume.mountPoint}/parity-${backend}`;
    mkdirSync(folder);
    for (const name of files) {
      const lines = await suite([`compat-tests/parity/${name}.test.mjs`], backend, folder);
      said.push(`${backend} ${name}: ${lines.at(-1)}`);
      say(`  ${said.at(-1)}`);
    }
  }
  return said.join('; ');
}

async function steps({ volume, backends, runs }) {
  const said = [];
  const files = ['steps', 'paths'].map((name) => `compat-tests/differential/${name}.test.mjs`);
  for (const backend of backends) {
    const folder = `${volume.mountPoint}/steps-${backend}`;
    mkdirSync(folder);
    const lines = await suite(files, backend, folder, { IOENGINE_RUNS: runs, IOENGINE_SHRINK: '0' });
    const counts = lines.filter((line) => / steps$/.test(line)).map((line) => line.trim());
    said.push(`${backend}: ${counts.join(' and ')}`);
  }
  return said.join('; ');
}

function compareBricks(volume, name, digests) {
  const wanted = JSON.stringify(Object.entries(digests).sort());
  const places = { mount: volume.mountPoint };
  for (let i = 1; i <= BRICKS; i++) places[`brick ${i}`] = volume.brick(i);
  for (const [place, top] of Object.entries(places)) {
    const folder = path.join(top, name);
    const found = readdirSync(folder).map((file) => [file, digestOf(path.join(folder, file))]);
    if (JSON.stringify(found.sort()) !== wanted) throw new PlainError(`${place} has other files than were written`);
  }
}

async function brick({ volume, backends }) {
  const said = [];
  for (const [index, backend] of backends.entries()) {
    const name = `brick-${backend}`;
    const folder = `${volume.mountPoint}/${name}`;
    mkdirSync(folder);
    const load = startChild({
      file: inRoot('scripts', 'lib', 'shadowed-load.mjs'),
      args: [folder],
      env: { IOENGINE_BACKEND: backend },
      timeoutMs: 300_000,
    });
    await load.waitFor(/running/);
    await sleep((LOAD_S / 3) * 1000);
    volume.killBrick((index % BRICKS) + 1);
    await sleep((LOAD_S / 3) * 1000);
    // Back while the load goes on: the healer copies files that change.
    const healing = volume.heal(HEAL_S);
    await sleep((LOAD_S / 3) * 1000);
    load.say('stop');
    await load.ended();
    if (load.status !== 0) throw new PlainError(`the load failed on ${backend}: ${load.describe()}`);
    await healing;
    const seconds = await volume.heal(HEAL_S);
    const { operations, longest, digests } = load.json();
    compareBricks(volume, name, digests);
    const files = Object.keys(digests).length;
    said.push(
      `${backend}: ${operations} calls, the longest ${Math.round(longest)} ms, ${files} files the same on the mount ` +
        `and ${BRICKS} bricks, last heal ${seconds.toFixed(1)} s`,
    );
  }
  return said.join('; ');
}

async function fio(file) {
  const args = ['--name=read', `--filename=${file}`, '--rw=randread', '--bs=4k', '--ioengine=psync', '--thread'];
  const time = ['--time_based', '--runtime=2', '--size=4m', '--group_reporting', '--output-format=json'];
  const rates = {};
  for (const jobs of [32, 128]) {
    const { status, output } = await runCollecting('fio', [...args, ...time, `--numjobs=${jobs}`]);
    if (status !== 0) throw new PlainError(`fio failed: ${output}`);
    rates[`read 4 KiB, ${jobs} in flight`] = JSON.parse(output.slice(output.indexOf('{'))).jobs[0].read.iops;
  }
  return rates;
}

async function throughput({ volume, backends }) {
  const folder = `${volume.uncached}/throughput`;
  mkdirSync(folder);
  prepareFiles(folder);
  const sides = {
    'node, 4 threads': ['node:fs', {}],
    'node, 64 threads': ['node:fs', { UV_THREADPOOL_SIZE: '64' }],
    ...Object.fromEntries(backends.map((backend) => [backend, ['ioengine/fs', { IOENGINE_BACKEND: backend }]])),
  };
  const figures = {};
  for (const [side, [module, env]] of Object.entries(sides)) {
    const lines = await check([inRoot('scripts', 'lib', 'slow-mount-worker.mjs'), module, folder, '1'], env);
    figures[side] = JSON.parse(lines.at(-1));
  }
  figures.fio = await fio(`${folder}/large`);
  const tasks = Object.keys(figures['node, 4 threads']);
  return tasks
    .map((task) => {
      const rates = Object.entries(figures).filter(([, rate]) => rate[task] !== undefined);
      return `\n    ${task}: ${rates.map(([side, rate]) => `${side} ${Math.round(rate[task])}/s`).join(', ')}`;
    })
    .join('');
}

const STEPS = { direct, parity, steps, brick, throughput };

await main(async () => {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', default: Object.keys(STEPS).join(',') },
      runs: { type: 'string', default: '600' },
      backend: { type: 'string', default: 'uring,aio,threads' },
      files: { type: 'string', default: PARITY.join(',') },
    },
  });
  const names = values.only.split(',');
  const unknown = names.find((name) => STEPS[name] === undefined);
  if (unknown !== undefined)
    throw new PlainError(`unknown step ${unknown}: choose one of ${Object.keys(STEPS).join(', ')}`);
  if (process.getuid() !== 0) throw new PlainError('mounting needs root');
  await setUp({ purpose: 'test' });
  ensure(NEEDED);
  const volume = new GlusterVolume();
  try {
    await volume.start();
    writeFileSync(`${volume.mountPoint}/first`, 'the volume answers');
    for (const name of names) {
      const started = Date.now();
      const options = { backends: values.backend.split(','), runs: values.runs, files: values.files.split(',') };
      const found = await STEPS[name]({ volume, ...options });
      console.log(`✓ ${name} (${Math.round((Date.now() - started) / 1000)} s)  ${found}`);
    }
  } catch (error) {
    say(`✗ ${error.message}`);
    process.exitCode = 1;
  } finally {
    volume.close();
  }
});
