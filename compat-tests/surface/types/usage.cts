// Compiled by types.test.mjs, never run: the CommonJS side of the exports map.
import fs = require('ioengine/fs');
import fsp = require('ioengine/fs/promises');
import engine = require('ioengine');

export async function usage(): Promise<number> {
  const handle = await fs.open('file');
  const { bytesRead } = await handle.read();
  const other = await fsp.open('file', 'w');
  await other.close();
  fs.open('file', 'r', (error, fd) => (error ? 0 : fs.closeSync(fd)));
  return bytesRead + engine.backend().depth;
}
