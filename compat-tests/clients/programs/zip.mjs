// archiver zips a tree, deflated and stored; yauzl unzips both.
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ZipArchive } from 'archiver';
import yauzl from 'yauzl';

async function zip(fs, tree, file, options) {
  const archive = new ZipArchive(options);
  const written = pipeline(archive, fs.createWriteStream(file));
  archive.directory(tree, false);
  archive.file(path.join(tree, 'part 1', 'd1', 'file-é-1.js'), { name: 'once more.js' });
  archive.append(fs.createReadStream(path.join(tree, 'part 2', 'd2', 'file-é-2.txt')), { name: 'as a stream' });
  await archive.finalize();
  await written;
}

async function unzip(fs, file, out) {
  const zipFile = await yauzl.openPromise(file, { autoClose: true });
  const entries = [];
  for await (const entry of zipFile.eachEntry()) {
    const target = path.join(out, entry.fileName);
    entries.push([entry.fileName, entry.uncompressedSize, entry.crc32]);
    const isLink = entry.externalFileAttributes >>> 28 === 0o12;
    if (entry.fileName.endsWith('/') || isLink) continue;
    await fs.promises.mkdir(path.dirname(target), { recursive: true });
    await pipeline(await zipFile.openReadStreamPromise(entry), fs.createWriteStream(target));
  }
  return entries.sort(([a], [b]) => (a < b ? -1 : 1));
}

export default async function work({ fs, folder }) {
  const tree = path.join(folder, 'tree');
  const result = {};
  for (const [name, options] of Object.entries({ deflated: { zlib: { level: 1 } }, stored: { store: true } })) {
    const file = path.join(folder, `${name}.zip`);
    await zip(fs, tree, file, options);
    result[name] = await unzip(fs, file, path.join(folder, name));
  }
  return result;
}
