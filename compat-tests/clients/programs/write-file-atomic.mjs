// Many writers at once, several to each file: the last one asked for is the content, with the mode of the file before
// it.
import path from 'node:path';
import { promisify } from 'node:util';
import writeFileAtomic from 'write-file-atomic';
import { contentOf, FILES, ROUNDS } from '../support/atomic.mjs';

export default async function work({ fs, folder }) {
  const names = Array.from({ length: FILES }, (_, index) => path.join(folder, `file-${index}`));
  await fs.promises.writeFile(names[0], 'had a mode of its own');
  await fs.promises.chmod(names[0], 0o751);
  await fs.promises.writeFile(names[1], 'is written through a link');
  await fs.promises.symlink(names[1], path.join(folder, 'link'));
  const temporary = [];
  const tmpfileCreated = (name) => void temporary.push(path.dirname(name));
  const writes = [];
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, name] of names.entries()) {
      const options = { tmpfileCreated, fsync: round === ROUNDS - 1, ...(index > 1 && { mode: 0o640 }) };
      const target = index === 1 ? path.join(folder, 'link') : name;
      writes.push(writeFileAtomic(target, contentOf(index, round), options));
    }
  }
  await Promise.all(writes);
  const failed = await promisify(writeFileAtomic)(path.join(folder, 'no', 'folder'), 'x').catch(({ code, syscall }) => [
    code,
    syscall,
  ]);
  return { temporary: temporary.filter((name) => name === folder).length, failed };
}
