// Copies, moves, writes and reads JSON, empties and removes.
import path from 'node:path';
import fsx from 'fs-extra';

export default async function work({ folder }) {
  const at = (...names) => path.join(folder, ...names);
  await fsx.copy(at('tree'), at('copy'), { preserveTimestamps: true });
  await fsx.copy(at('tree'), at('filtered'), { filter: (name) => !name.endsWith('.js') });
  await fsx.copy(at('tree'), at('moving'));
  await fsx.move(at('moving'), at('moved'));
  const refused = await fsx.move(at('filtered'), at('moved')).catch(({ message }) => message);

  const data = Array.from({ length: 10_000 }, (_, index) => ({ index, word: `é${index}` }));
  await Promise.all(
    Array.from({ length: 10 }, (_, index) => fsx.outputJson(at('json', String(index), 'deep', 'data.json'), data)),
  );
  const read = await Promise.all(
    Array.from({ length: 10 }, (_, index) => fsx.readJson(at('json', String(index), 'deep', 'data.json'))),
  );
  await fsx.outputFile(at('json', 'text', 'plain.txt'), 'text\n'.repeat(100_000));
  const invalid = await fsx.readJson(at('json', 'text', 'plain.txt')).catch((error) => error.name);
  await fsx.ensureFile(at('json', 'made', 'empty.txt'));
  await fsx.ensureSymlink(at('tree'), at('json', 'link'));

  await fsx.copy(at('tree'), at('emptied'));
  await fsx.emptyDir(at('emptied'));
  await fsx.copy(at('tree'), at('removed'));
  await fsx.remove(at('removed'));
  return {
    refused,
    invalid,
    same: read.every((value) => JSON.stringify(value) === JSON.stringify(data)),
    exists: await Promise.all(['removed', 'emptied', 'moving', 'moved'].map((name) => fsx.pathExists(at(name)))),
  };
}
