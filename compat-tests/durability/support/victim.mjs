// The program whose power fails: many files at once, each written in one of the ways that promise to be durable. As
// soon as a promise is kept, the disk's log gets a mark and `claims` says what has to be found behind it.
//
//   node victim.mjs FOLDER CLAIMS SEED ROUNDS [CONTROL] [LIE]
//
// CLAIMS gets a line for each promise, and CONTROL (of recorddisk.c) a mark. LIE makes it break promises, so that tests
// can show that they would see it: `unsynced` never syncs, `early` promises before it has written.
import nodeFs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import fs, { open } from 'ioengine/fs';
import { mkdir, rename } from 'ioengine/fs/promises';
import { randomFrom } from '../../helpers/random.mjs';
import { SECTOR_BYTES, sectors } from '../../helpers/sectors.mjs';
import { actorNames } from './victim-files.mjs';

const [folder, claimsFile, seed, rounds, control, lie] = process.argv.slice(2);
const random = randomFrom(Number(seed));
const controlFd = control ? nodeFs.openSync(control, 'w') : -1;
const claimsFd = nodeFs.openSync(claimsFile, 'a');
let claims = 0;
const { O_CREAT, O_DSYNC, O_RDWR, O_TRUNC } = fs.constants;
const flush = lie !== 'unsynced';

function claim(what) {
  nodeFs.writeSync(claimsFd, `${JSON.stringify(what)}\n`);
  if (controlFd >= 0) nodeFs.writeSync(controlFd, `mark ${claims}`);
  claims += 1;
}

const at = (file) => `${folder}/${file}`;
const sync = (handle, method) => (flush ? handle[method]() : undefined);
const called = (name, ...args) =>
  new Promise((resolve, reject) => fs[name](...args, (error, value) => (error ? reject(error) : resolve(value))));

/** Grows a file by some sectors a round; what `add` was given is durable when it resolves. */
async function grow(file, add, end = async () => {}) {
  let count = 0;
  for (let round = 0; round < rounds; round++) {
    const more = 1 + random(24);
    const promise = { file, is: 'sectors', from: 0, count: count + more, version: 0 };
    if (lie === 'early') {
      claim(promise);
      await sleep(5);
    }
    await add(sectors(file, count, more, 0), count * SECTOR_BYTES);
    if (lie !== 'early') claim(promise);
    count += more;
    await sleep(random(4));
  }
  await end();
}

/** Writes over parts of a file, several at once. */
async function overwrite(file, handle, add) {
  const places = 64;
  await handle.truncate(places * 8 * SECTOR_BYTES);
  for (let version = 1; version <= rounds; version++) {
    const first = random(places);
    const chosen = Array.from({ length: 1 + random(8) }, (_, i) => ((first + i * 5) % places) * 8);
    await add([...new Set(chosen)].map((from) => ({ from, data: sectors(file, from, 8, version) })));
    for (const from of new Set(chosen)) claim({ file, is: 'sectors', from, count: 8, version });
    await sleep(random(4));
  }
  await handle.close();
}

/** A new file a round, complete when `write` resolves. */
async function create(name, write) {
  for (let round = 0; round < rounds; round++) {
    const file = `${name}-${round}`;
    const count = 1 + random(round % 8 === 0 ? 700 : 60);
    await write(at(file), sectors(file, 0, count, 0));
    claim({ file, is: 'exact', count, version: 0 });
    await sleep(random(4));
  }
}

/** The same file again and again: while it is written it may be anything, unless `atomic`. */
async function replace(file, write, atomic) {
  for (let version = 0; version < rounds; version++) {
    const count = 1 + random(60);
    if (!atomic) claim({ file, is: 'changing' });
    await write(sectors(file, 0, count, version));
    claim({ file, is: atomic ? 'atLeast' : 'exact', count, version });
    await sleep(random(4));
  }
}

/** Written in pieces; closed is flushed. */
async function streamed(stream, data) {
  const closed = new Promise((resolve, reject) => stream.on('error', reject).on('close', resolve));
  for (let done = 0; done < data.length; ) {
    const size = 1 + random(20_000);
    stream.write(data.subarray(done, done + size));
    done += size;
    if (random(3) === 0) await sleep(random(2));
  }
  stream.end();
  await closed;
}

const aligned = (data) => data.map(({ from, data: bytes }) => [bytes, 0, bytes.length, from * SECTOR_BYTES]);

const actors = {
  async 'handle.sync'(file) {
    const handle = await open(at(file), 'a');
    const add = async (data) => {
      const half = data.length >> 1;
      await Promise.all([handle.write(data.subarray(0, half)), handle.appendFile(data.subarray(half))]);
      await sync(handle, 'sync');
    };
    await grow(file, add, () => handle.close());
  },
  async 'handle.datasync'(file) {
    const handle = await open(at(file), 'w');
    const add = async (data, offset) => {
      await handle.writev([data.subarray(0, 300), data.subarray(300)], offset);
      await sync(handle, 'datasync');
    };
    await grow(file, add, () => handle.close());
  },
  async callbacks(file) {
    const fd = await called('open', at(file), 'w');
    const add = async (data, offset) => {
      await called('write', fd, data, 0, data.length, offset);
      if (flush) await called(random(2) === 0 ? 'fsync' : 'fdatasync', fd);
    };
    await grow(file, add, () => called('close', fd));
  },
  async 'in-place'(file) {
    const handle = await open(at(file), 'w+');
    await overwrite(file, handle, async (parts) => {
      await Promise.all(aligned(parts).map((args) => handle.write(...args)));
      await sync(handle, 'datasync');
    });
  },
  async direct(file) {
    nodeFs.writeFileSync(at(file), '');
    const handle = await open(at(file), { flags: 'r+', direct: true });
    await overwrite(file, handle, async (parts) => {
      await Promise.all(aligned(parts).map((args) => handle.write(...args)));
      await sync(handle, 'sync');
    });
  },
  async O_DSYNC(file) {
    const handle = await open(at(file), O_RDWR | O_CREAT | O_TRUNC | (flush ? O_DSYNC : 0));
    await grow(
      file,
      async (data, offset) => void (await handle.write(data, 0, data.length, offset)),
      () => handle.close(),
    );
  },
  async O_SYNC(file) {
    const handle = await open(at(file), flush ? 'as' : 'a');
    await grow(
      file,
      async (data) => void (await handle.write(data)),
      () => handle.close(),
    );
  },
  writeFile: (name) => create(name, (path, data) => fs.promises.writeFile(path, data, { flush })),
  'writeFile-callback': (name) => create(name, (path, data) => called('writeFile', path, data, { flush })),
  'writeFile-again': (file) => replace(file, (data) => fs.promises.writeFile(at(file), data, { flush }), false),
  appendFile: (file) => grow(file, (data) => fs.promises.appendFile(at(file), data, { flush })),
  stream: (name) => create(name, (path, data) => streamed(fs.createWriteStream(path, { flush }), data)),
  'stream-behind': (name) =>
    create(name, (path, data) => streamed(fs.createWriteStream(path, { flush, writeBehind: 100_000 }), data)),
  'stream-direct': (name) =>
    create(name, (path, data) => streamed(fs.createWriteStream(path, { flush, direct: 'try' }), data)),
  async 'handle-stream'(name) {
    await create(name, async (path, data) => {
      const handle = await open(path, 'w');
      await streamed(handle.createWriteStream({ flush }), data);
    });
  },
  async rename(file) {
    const directory = await open(folder, 'r');
    const write = async (data) => {
      await fs.promises.writeFile(at('rename.new'), data, { flush });
      await rename(at('rename.new'), at(file));
      await sync(directory, 'sync');
    };
    await replace(file, write, true);
    await directory.close();
  },
};

await mkdir(folder, { recursive: true });
const parent = await open(`${folder}/..`, 'r');
await parent.sync();
await parent.close();
await Promise.all(actorNames.map((name) => actors[name](name)));
