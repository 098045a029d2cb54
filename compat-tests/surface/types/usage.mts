// Compiled by types.test.mjs, never run.
import type * as nodeFs from 'node:fs';
import type * as nodePromises from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import * as engine from 'ioengine';
import fs, { createReadStream, createWriteStream, open, promises, readFileSync, type Stats } from 'ioengine/fs';
import fsp, { readFile, writeFile } from 'ioengine/fs/promises';

// Everything that node's modules have is there with node's types.
const asPromises: typeof nodePromises = fsp;
const samePromises: typeof nodePromises = promises;
// open has one overload more, so it is compared apart from the rest.
const rest: Omit<typeof nodeFs, 'open' | 'default'> = fs;

export async function usage(): Promise<string> {
  const handle = await open('file');
  const again: nodePromises.FileHandle = await fs.open('file', 'r+', 0o600);
  const direct = await open('file', { flags: 'r', mode: 0o644, direct: true });
  const tried = await fsp.open('file', { flags: 'r', direct: 'try' });
  const { bytesRead, buffer } = await handle.read(Buffer.alloc(10), 0, 10, null);
  const read: number = bytesRead + buffer.length;
  const whole: Buffer = await handle.readFile();
  const stats: Stats = await again.stat();
  for await (const line of handle.readLines()) line.toUpperCase();
  open('file', 'r', (error: NodeJS.ErrnoException | null, fd: number) => fs.close(fd, () => error?.code));
  open('file', (_error, fd) =>
    fs.read(fd, Buffer.alloc(1), 0, 1, 0n, (failure, count) => count.toFixed(failure ? 1 : 0)),
  );
  await pipeline(
    createReadStream('a', { direct: true, start: 4 }),
    createWriteStream('b', { direct: 'try', flags: 'a', writeBehind: 65_536 }),
  );
  const stream: nodeFs.ReadStream = handle.createReadStream();
  const text: string = await readFile('file', 'utf8');
  await writeFile('file', text, { flush: true });
  await Promise.all([direct.close(), tried.close()]);
  const aligned: Buffer = engine.alignedBuffer(4096);
  const { name, forced, reason, depth } = engine.backend();
  const probed = engine.probe();
  const uring: string = typeof probed.uring === 'string' ? probed.uring : String(probed.uring.available);
  const inline: number = engine.stats().lanes.inline.operations;
  return [
    read,
    whole,
    stats.size,
    stream.bytesRead,
    aligned.length,
    name,
    forced,
    reason,
    depth,
    uring,
    inline,
    readFileSync('x', 'utf8'),
    asPromises,
    samePromises,
    rest,
  ].join();
}
