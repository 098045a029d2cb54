// Init, add, commit, change, status, branch, checkout and log; then the same objects out of a pack that git(1) made.
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import git from 'isomorphic-git';
import { fileText, FILES } from '../support/repository.mjs';

const author = { name: 'A U Thor', email: 'author@example.org', timestamp: 1_700_000_000, timezoneOffset: 0 };

export default async function work({ fs, folder }) {
  const dir = path.join(folder, 'repository');
  const names = Array.from({ length: FILES }, (_, index) => `d${index % 7}/file-${index}.txt`);
  const write = (name, text) => fs.promises.writeFile(path.join(dir, name), text);
  const commit = (message) => git.commit({ fs, dir, message, author });

  await git.init({ fs, dir, defaultBranch: 'main' });
  for (let at = 0; at < 7; at++) await fs.promises.mkdir(path.join(dir, `d${at}`));
  await Promise.all(names.map((name, index) => write(name, fileText(index))));
  await git.add({ fs, dir, filepath: names });
  const first = await commit('first');

  const changed = names.slice(0, 20);
  const removed = names.slice(20, 25);
  await Promise.all(changed.map((name, index) => write(name, fileText(index, 'changed'))));
  await Promise.all(removed.map((name) => fs.promises.unlink(path.join(dir, name))));
  await write('d0/new.txt', 'new\n');
  const status = await git.statusMatrix({ fs, dir });
  await git.add({ fs, dir, filepath: [...changed, 'd0/new.txt'] });
  for (const filepath of removed) await git.remove({ fs, dir, filepath });
  const second = await commit('second');

  await git.branch({ fs, dir, ref: 'old', object: first });
  await git.checkout({ fs, dir, ref: 'old' });
  const back = await fs.promises.readFile(path.join(dir, names[0]), 'utf8');
  await git.checkout({ fs, dir, ref: 'main' });

  await promisify(execFile)('git', ['-C', dir, 'repack', '-a', '-d', '-q']);
  const log = await git.log({ fs, dir });
  const blob = await git.readBlob({ fs, dir, oid: first, filepath: names[24] });
  const clean = await git.statusMatrix({ fs, dir });
  return {
    commits: [first, second],
    log: log.map(({ oid, commit: { message, tree } }) => [oid, tree, message]),
    status: status.filter((row) => row.slice(1).join() !== '1,1,1'),
    restored: back === fileText(0),
    fromPack: Buffer.from(blob.blob).toString() === fileText(24),
    unclean: clean.filter((row) => row.slice(1).join() !== '1,1,1'),
  };
}
