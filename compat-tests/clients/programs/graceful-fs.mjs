// More files at once than the process may have open: EMFILE without graceful-fs, and no error with it.
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import gracefulFs from 'graceful-fs';

const LIMIT = 100;
const MANY = 250;

/** Opens all files at once and keeps them open; which of the answers are errors, and which. */
async function openAll(fs, names) {
  const open = (name) => new Promise((resolve) => fs.open(name, 'r', (error, fd) => resolve(error ?? fd)));
  const answers = await Promise.all(names.map(open));
  const fds = answers.filter((answer) => typeof answer === 'number');
  await Promise.all(fds.map((fd) => new Promise((resolve) => fs.close(fd, resolve))));
  const errors = answers.filter((answer) => typeof answer !== 'number');
  const words = errors.map(
    ({ code, errno, syscall, message }) => `${code} ${errno} ${syscall} ${message.split(',')[0]}`,
  );
  return { some: errors.length > 0, kinds: [...new Set(words)] };
}

/** Opens, keeps each file open for a moment, closes. */
async function openInTurn(fs, names) {
  const each = (name) =>
    new Promise((resolve, reject) => {
      fs.open(name, 'r', (error, fd) => {
        if (error) return reject(error);
        setTimeout(() => fs.close(fd, (failed) => (failed ? reject(failed) : resolve(fd))), 1);
      });
    });
  return (await Promise.all(names.map(each))).length;
}

async function transfer(fs, names) {
  const call = (name, ...args) =>
    new Promise((resolve, reject) => {
      fs[name](...args, (error, value) => (error ? reject(error) : resolve(value)));
    });
  const contents = await Promise.all(names.map((name) => call('readFile', name)));
  await Promise.all(names.map((name, at) => call('writeFile', `${name}.copy`, contents[at])));
  await Promise.all(names.map((name, at) => call('appendFile', `${name}.copy`, String(at))));
  const bytes = names.map(
    (name) =>
      new Promise((resolve, reject) => {
        let size = 0;
        const stream = fs.createReadStream(`${name}.copy`);
        stream.on('data', (chunk) => {
          size += chunk.length;
        });
        stream.on('end', () => resolve(size)).on('error', reject);
      }),
  );
  return (await Promise.all(bytes)).reduce((sum, size) => sum + size, 0);
}

export default async function work({ fs, folder, way }) {
  const names = Array.from({ length: MANY }, (_, index) => path.join(folder, 'files', `file-${index}`));
  execFileSync('prlimit', [`--nofile=${LIMIT}:${LIMIT}`, '--pid', String(process.pid)]);
  const before = await openAll(fs, names);
  // Ours is patched in place, as programs do it with node:fs; the unmodified way is the package's own patched copy.
  const graceful = way === 'option' ? gracefulFs.gracefulify(fs) : gracefulFs;
  return {
    before,
    inTurn: await openInTurn(graceful, names),
    bytes: await transfer(graceful, names),
    folders: (await new Promise((done) => graceful.readdir(path.join(folder, 'files'), (_, list) => done(list))))
      .length,
  };
}
