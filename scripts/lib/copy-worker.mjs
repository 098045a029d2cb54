// One side of the quickstart: copies files on command in a process of its own, because a process has one backend.
// Started with fork() and { side: 'node' | 'ioengine' } as its argument. Commands and answers are messages:
//   { source, target, direct } -> { progress: bytes } ... then { done: { wall_ms, operations } } or { failed }
import nodeFs from 'node:fs';
import { pipeline } from 'node:stream/promises';

const { side } = JSON.parse(process.argv[2]);
const progressEvery_ms = 100;

const describe = (error) => ({ message: error.message, code: error.code, fix: error.fix, cause: error.cause?.message });

async function load() {
  if (side === 'node') return { fs: nodeFs, stats: () => undefined };
  const [{ default: fs }, { stats }] = await Promise.all([import('ioengine/fs'), import('ioengine')]);
  return { fs, stats };
}

function operationsBetween(before, after) {
  if (!before) return undefined;
  return Object.fromEntries(
    Object.entries(after.lanes).map(([lane, { operations }]) => [lane, operations - before.lanes[lane].operations]),
  );
}

async function copy({ fs, stats }, { source, target, direct }) {
  const options = direct ? { direct: true } : {};
  const before = stats();
  const started = process.hrtime.bigint();
  const reader = fs.createReadStream(source, options);
  const writer = fs.createWriteStream(target, options);
  const ticker = setInterval(() => process.send({ progress: writer.bytesWritten }), progressEvery_ms);
  try {
    await pipeline(reader, writer);
  } finally {
    clearInterval(ticker);
  }
  const wall_ms = Number(process.hrtime.bigint() - started) / 1e6;
  return { wall_ms, operations: operationsBetween(before, stats()) };
}

try {
  const engine = await load();
  process.on('message', async (command) => {
    try {
      process.send({ done: await copy(engine, command) });
    } catch (error) {
      process.send({ failed: describe(error) });
    }
  });
  process.send({ ready: true });
} catch (error) {
  process.send({ unavailable: describe(error) }, () => process.disconnect());
}
