// Packs a tree plainly and with gzip, from files and through a stream, and extracts both.
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { create, extract, list } from 'tar';

export default async function work({ fs, folder }) {
  const at = (name) => path.join(folder, name);
  await Promise.all(['plain', 'gzip'].map((name) => fs.promises.mkdir(at(name))));
  const cwd = at('tree');
  await create({ file: at('plain.tar'), cwd, portable: true }, ['.']);
  await pipeline(create({ cwd, gzip: true, portable: true }, ['.']), fs.createWriteStream(at('gzip.tgz')));
  await extract({ file: at('plain.tar'), cwd: at('plain') });
  await pipeline(fs.createReadStream(at('gzip.tgz')), extract({ cwd: at('gzip') }));
  const names = [];
  await list({ file: at('gzip.tgz'), onReadEntry: (entry) => names.push(`${entry.path} ${entry.size}`) });
  return names.sort();
}
