// Many lines as text into a file that is renamed and reopened on the way, as log rotation does, and as bytes with
// fsync.
import { once } from 'node:events';
import path from 'node:path';
import { promisify } from 'node:util';
import SonicBoom from 'sonic-boom';
import { LINES, lineOf } from '../support/lines.mjs';

async function rotating(fs, file) {
  const log = new SonicBoom({ dest: file, minLength: 4096, sync: false });
  await once(log, 'ready');
  for (let at = 0; at < LINES; at++) {
    if (!log.write(lineOf(at))) await once(log, 'drain');
    if (at === LINES / 2 - 1) {
      await promisify(log.flush).call(log);
      await fs.promises.rename(file, `${file}.1`);
      log.reopen();
      await once(log, 'ready');
    }
  }
  log.end();
  await once(log, 'close');
}

async function bytes(file) {
  const log = new SonicBoom({
    dest: file,
    contentMode: 'buffer',
    sync: false,
    fsync: true,
    mkdir: true,
    append: false,
  });
  await once(log, 'ready');
  for (let at = 0; at < LINES; at++) log.write(Buffer.from(lineOf(at)));
  await promisify(log.flush).call(log);
  log.end();
  await once(log, 'close');
}

export default async function work({ fs, folder }) {
  await Promise.all([rotating(fs, path.join(folder, 'log')), bytes(path.join(folder, 'new', 'folder', 'log'))]);
  const both = await Promise.all(['log.1', 'log'].map((name) => fs.promises.readFile(path.join(folder, name), 'utf8')));
  return both.map((text) => [text.length, text.slice(0, 20), text.slice(-20)]);
}
