// What a soak does all the time: whole files, handles, streams, trees, aborts and errors, each result compared.
import { setTimeout as sleep } from 'node:timers/promises';
import { sectors } from '../../helpers/sectors.mjs';

function expectBytes(what, found, wanted) {
  if (!found.equals(wanted))
    throw new Error(`${what}: ${found.length} bytes that are not the ${wanted.length} written`);
}

const drained = (stream) => new Promise((resolve, reject) => stream.on('error', reject).on('close', resolve));

async function wholeFile({ fs, path, random }) {
  const wanted = sectors('w', 0, random(200), random(1000));
  await fs.promises.writeFile(path, wanted);
  expectBytes('readFile', await fs.promises.readFile(path), wanted);
  await fs.promises.unlink(path);
}

async function callbacks({ fs, path, random }) {
  const call = (name, ...args) =>
    new Promise((resolve, reject) => fs[name](...args, (error, value) => (error ? reject(error) : resolve(value))));
  const wanted = sectors('c', 0, 1 + random(60), 0);
  const fd = await call('open', path, 'w+');
  await call('write', fd, wanted, 0, wanted.length, 0);
  const found = Buffer.alloc(wanted.length);
  await call('read', fd, found, 0, found.length, 0);
  expectBytes('read', found, wanted);
  await call('close', fd);
  await call('rm', path);
}

async function handle({ fs, path, random }) {
  const direct = random(2) === 0 && 'try';
  const file = await fs.promises.open(path, { flags: 'w+', direct });
  const parts = Array.from({ length: 1 + random(16) }, (_, i) => sectors('h', i * 8, 8, i));
  await Promise.all(parts.map((part, i) => file.write(part, 0, part.length, i * part.length)));
  if (random(8) === 0) await file.datasync();
  const reads = parts.map((part, i) => file.read(Buffer.alloc(part.length), 0, part.length, i * part.length));
  for (const [i, { buffer }] of (await Promise.all(reads)).entries()) expectBytes('handle.read', buffer, parts[i]);
  await file.close();
  await fs.promises.rm(path);
}

async function streams({ fs, path, random }) {
  const wanted = sectors('s', 0, 1 + random(600), 1);
  const out = fs.createWriteStream(path, random(2) === 0 ? { direct: 'try' } : {});
  for (let at = 0; at < wanted.length; at += 10_000) out.write(wanted.subarray(at, at + 10_000));
  out.end();
  await drained(out);
  const parts = [];
  for await (const part of fs.createReadStream(path, { highWaterMark: 1 + random(100_000) })) parts.push(part);
  expectBytes('stream', Buffer.concat(parts), wanted);
  await fs.promises.unlink(path);
}

async function destroyed({ fs, path, random }) {
  await fs.promises.writeFile(path, sectors('d', 0, 500, 1));
  const stream = fs.createReadStream(path);
  stream.once('data', () => stream.destroy());
  await drained(stream);
  const controller = new AbortController();
  const read = fs.promises.readFile(path, { signal: controller.signal }).catch((error) => error.name);
  if (random(2) === 0) await sleep(random(3));
  controller.abort();
  await read;
  await fs.promises.rm(path);
}

async function tree({ fs, path, random }) {
  await fs.promises.mkdir(`${path}/a/b`, { recursive: true });
  const names = Array.from({ length: 1 + random(12) }, (_, i) => `${path}/a/b/${i}`);
  await Promise.all(names.map((name) => fs.promises.writeFile(name, name)));
  await fs.promises.cp(path, `${path}-copy`, { recursive: true });
  const found = await fs.promises.readdir(`${path}-copy`, { recursive: true });
  if (found.length !== names.length + 2) throw new Error(`readdir found ${found.length}, not ${names.length + 2}`);
  await Promise.all([path, `${path}-copy`].map((name) => fs.promises.rm(name, { recursive: true })));
}

async function errors({ fs, path }) {
  const calls = [fs.promises.stat(path), fs.promises.readFile(`${path}/x`), fs.promises.open(path, 'r')];
  for (const { status } of await Promise.allSettled(calls)) {
    if (status !== 'rejected') throw new Error('a call on a path that is not there did not fail');
  }
}

/** Cached reads as fast as they go: what saturates the engine. */
async function cached({ fs, path, random }) {
  const wanted = sectors('k', 0, 64, 0);
  await fs.promises.writeFile(path, wanted);
  const file = await fs.promises.open(path, 'r');
  for (let i = 0; i < 300; i++) {
    const at = random(60) * 512;
    const { buffer } = await file.read(Buffer.alloc(2048), 0, 2048, at);
    expectBytes('cached read', buffer, wanted.subarray(at, at + 2048));
  }
  await file.close();
  await fs.promises.unlink(path);
}

const kinds = [wholeFile, callbacks, handle, streams, destroyed, tree, errors, cached];

/** Runs `lanes` of it side by side until the time is over; { name: count }. */
export async function work(fs, folder, random, until, lanes) {
  const done = Object.fromEntries(kinds.map(({ name }) => [name, 0]));
  const lane = async (number) => {
    while (Date.now() < until) {
      const kind = kinds[random(kinds.length)];
      await kind({ fs, path: `${folder}/${number}`, random });
      done[kind.name] += 1;
    }
  };
  await Promise.all(Array.from({ length: lanes }, (_, number) => lane(number)));
  return done;
}
