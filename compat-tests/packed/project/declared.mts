// What a program exports again has types that the compiler can name in declarations of its own: from the package's
// entry points, not from files inside it (TS2742).
import { alignedBuffer, backend, probe, stats } from 'ioengine';
import fs, { createReadStream, createWriteStream, open, promises, readFile } from 'ioengine/fs';
import fsp, { open as openHandle, writeFile } from 'ioengine/fs/promises';

export const [theBackend, theProbe, theStats, buffer] = [backend(), probe(), stats(), alignedBuffer];
export const streams = { createReadStream, createWriteStream };
export const read = createReadStream;
export const write = createWriteStream;
export const callback = open;
export const handle = openHandle;
export const whole = { readFile, writeFile, promises };
export const modules = { fs, fsp };
export const opened = () => openHandle('file', { direct: 'try' });
export const wrapped = (...args: Parameters<typeof createReadStream>) => createReadStream(...args);
export const streamOptions = (...[, options]: Parameters<typeof createWriteStream>) => options;
export const openOptions = (...[, options]: Parameters<typeof openHandle>) => options;
export class Files {
  open = fs.open;
  openHandle = fsp.open;
}
