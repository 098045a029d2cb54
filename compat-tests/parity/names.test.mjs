// unlink, rmdir, rename, link, symlink, mkdir of one directory, and the callback forms of chmod, chown, lchown and
// readlink: results, errors, and the tree that they leave behind.
import fs from 'node:fs';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { stats } from 'ioengine';
import { same } from '../helpers/compare.mjs';
import { ours, oursP } from '../helpers/oracle.mjs';
import { removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';
import { ODD_VALUES } from './support/values.mjs';

const FORMS = ['promise', 'callback'];

const call = (side, form, name, ...args) =>
  form === 'promise' ? side.attempt(() => side.fsp[name](...args)) : side.callback((cb) => side.fs[name](...args, cb));

/** A tree of every kind of thing, made anew. */
function tree(side) {
  fs.rmSync(side.file('t'), { recursive: true, force: true });
  fs.mkdirSync(side.file('t/empty'), { recursive: true });
  fs.mkdirSync(side.file('t/full'));
  fs.writeFileSync(side.file('t/full/inner'), 'inner');
  fs.writeFileSync(side.file('t/file'), 'content');
  fs.symlinkSync('file', side.file('t/link'));
  fs.symlinkSync('full', side.file('t/link to a folder'));
  fs.symlinkSync('nowhere', side.file('t/dangling'));
  fs.symlinkSync('loop', side.file('t/loop'));
}

const kinds = (side) => ({
  file: side.file('t/file'),
  empty: side.file('t/empty'),
  full: side.file('t/full'),
  'full with a slash': `${side.file('t/full')}/`,
  link: side.file('t/link'),
  'link to a folder': side.file('t/link to a folder'),
  'link with a slash': `${side.file('t/link to a folder')}/`,
  dangling: side.file('t/dangling'),
  loop: side.file('t/loop'),
  'through a loop': side.file('t/loop/x'),
  absent: side.file('t/absent'),
  'in an absent folder': side.file('t/absent/x'),
  'below a file': side.file('t/file/x'),
  'a long name': side.file(`t/${'y'.repeat(300)}`),
  url: pathToFileURL(side.file('t/file')),
  buffer: Buffer.from(side.file('t/file')),
  'a lone surrogate': `${side.dir}/t/\ud800`,
  nul: 'a\0b',
  empty_path: '',
  root: '/',
  proc: '/proc/self/status',
});

/** What is in the tree, with links and contents: links are not followed. */
function shape(side, folder = side.file('t')) {
  return fs
    .readdirSync(folder)
    .sort()
    .flatMap((name) => {
      const path = `${folder}/${name}`;
      const status = fs.lstatSync(path);
      const line = `${path.slice(side.dir.length)} ${status.mode.toString(8)}`;
      if (status.isDirectory()) return [line, ...shape(side, path)];
      const text = status.isSymbolicLink() ? `-> ${fs.readlinkSync(path)}` : fs.readFileSync(path, 'utf8');
      return [`${line} ${text.replace(side.dir, '')}`];
    });
}

for (const name of ['unlink', 'rmdir', 'mkdir']) {
  describe(`parity: ${name}`, () => {
    same('every kind of thing', async (side) => {
      const seen = {};
      for (const form of FORMS) {
        for (const [label, path] of Object.entries(kinds(side))) {
          if (path === '/' && name !== 'mkdir') continue;
          tree(side);
          seen[`${form} ${label}`] = await call(side, form, name, path);
          seen[`${form} ${label}, after`] = shape(side);
        }
      }
      return seen;
    });

    same('odd arguments', async (side) => {
      const seen = {};
      tree(side);
      for (const form of FORMS) {
        for (const [label, odd] of ODD_VALUES) {
          if (typeof odd === 'string') continue;
          seen[`${form} path ${label}`] = await call(side, form, name, odd);
          // Node 20 aborts on a mode of 2^31.
          if (odd !== 2 ** 31)
            seen[`${form} second ${label}`] = await call(side, form, name, side.file(`t/new ${label} ${form}`), odd);
        }
      }
      for (const [label, odd] of ODD_VALUES) {
        seen[`callback ${label}`] = await side.attempt(() => side.fs[name](side.file('t/no'), odd));
        if (odd !== undefined && odd !== 2 ** 31)
          seen[`late callback ${label}`] = await side.attempt(() =>
            side.fs[name](side.file('t/no/no'), undefined, odd),
          );
      }
      seen.after = shape(side);
      return seen;
    });
  });
}

for (const name of ['rename', 'link', 'symlink']) {
  describe(`parity: ${name}`, () => {
    same('every kind of thing to every other', async (side) => {
      const seen = {};
      const targets = [
        'file',
        'empty',
        'full',
        'link',
        'dangling',
        'absent',
        'in an absent folder',
        'below a file',
        'buffer',
        'nul',
      ];
      for (const form of FORMS) {
        for (const [label, from] of Object.entries(kinds(side))) {
          for (const target of form === 'promise' ? targets : ['file', 'absent']) {
            tree(side);
            const to = kinds(side)[target];
            seen[`${form} ${label} to ${target}`] = await call(side, form, name, from, to);
            seen[`${form} ${label} to ${target}, after`] = shape(side);
          }
        }
      }
      return seen;
    });

    same('odd arguments', async (side) => {
      const seen = {};
      tree(side);
      for (const [label, odd] of ODD_VALUES) {
        for (const form of FORMS) {
          if (typeof odd === 'string') continue;
          seen[`${form} from ${label}`] = await call(side, form, name, odd, side.file('t/new'));
          seen[`${form} to ${label}`] = await call(side, form, name, side.file('t/file'), odd);
          seen[`${form} third ${label}`] = await call(
            side,
            form,
            name,
            side.file('t/absent'),
            side.file(`t/${label}/${form}`),
            odd,
          );
        }
        seen[`callback ${label}`] = await side.attempt(() =>
          side.fs[name](side.file('t/no'), side.file('t/no/no'), odd),
        );
      }
      if (name === 'symlink') {
        for (const type of ['file', 'dir', 'junction', 'other', null]) {
          for (const form of FORMS)
            seen[`${form} type ${type}`] = await call(side, form, name, 'x', side.file(`t/${form}-${type}`), type);
        }
      }
      seen.after = shape(side);
      return seen;
    });
  });
}

describe('parity: callback forms of one system call', () => {
  same('chmod, chown, lchown, readlink', async (side) => {
    const seen = {};
    for (const [label, path] of Object.entries(kinds(side))) {
      if (path === '/' || path === '/proc/self/status') continue;
      tree(side);
      for (const mode of [0o640, '755', 1.5, null, {}])
        seen[`chmod ${label} ${mode}`] = await call(side, 'callback', 'chmod', path, mode);
      for (const ids of [[-1, -1], [65_534, 65_533], [2 ** 32, 0], [0, '0'], []]) {
        seen[`chown ${label} ${ids}`] = await call(side, 'callback', 'chown', path, ...ids);
        seen[`lchown ${label} ${ids}`] = await call(side, 'callback', 'lchown', path, ...ids);
      }
      for (const options of [undefined, 'utf8', 'buffer', { encoding: 'hex' }, 'no-such', null])
        seen[`readlink ${label} ${JSON.stringify(options)}`] = await call(side, 'callback', 'readlink', path, options);
      seen[`readlink ${label}`] = await call(side, 'callback', 'readlink', path);
      seen[`${label}, after`] = shape(side);
    }
    return seen;
  });

  same('a folder that may not be written', async (side) => {
    const user = process.geteuid();
    const seen = {};
    tree(side);
    fs.chmodSync(`${side.dir}/..`, 0o755);
    fs.chmodSync(side.file('t/full'), 0o555);
    try {
      if (user === 0) process.seteuid(65_534);
      for (const form of FORMS) {
        seen[`unlink ${form}`] = await call(side, form, 'unlink', side.file('t/full/inner'));
        seen[`rename ${form}`] = await call(side, form, 'rename', side.file('t/full/inner'), side.file('t/full/b'));
        seen[`mkdir ${form}`] = await call(side, form, 'mkdir', side.file('t/full/new'));
        seen[`symlink ${form}`] = await call(side, form, 'symlink', 'x', side.file('t/full/new'));
        seen[`rmdir ${form}`] = await call(side, form, 'rmdir', side.file('t/full'));
      }
    } finally {
      process.seteuid(user);
    }
    return seen;
  });
});

describe('names: who serves them', () => {
  let dir;
  before(() => {
    dir = temporaryDirectory();
  });
  after(() => removeDirectory(dir));

  it('each call is one pool job, and none is node’s', async () => {
    const plain = (name, ...args) =>
      new Promise((resolve, reject) => ours[name](...args, (error) => (error ? reject(error) : resolve())));
    const promised = (name, ...args) => oursP[name](...args);
    const before = stats().lanes;
    let calls = 0;
    for (const way of [plain, promised]) {
      fs.writeFileSync(`${dir}/a`, 'x');
      const steps = [
        ['mkdir', `${dir}/folder`],
        ['rmdir', `${dir}/folder`],
        ['rename', `${dir}/a`, `${dir}/b`],
        ['link', `${dir}/b`, `${dir}/c`],
        ['symlink', 'b', `${dir}/d`],
        ['chmod', `${dir}/b`, 0o600],
        ['chown', `${dir}/b`, -1, -1],
        ['lchown', `${dir}/d`, -1, -1],
        ['readlink', `${dir}/d`],
        ...['b', 'c', 'd'].map((name) => ['unlink', `${dir}/${name}`]),
      ];
      for (const step of steps) await way(...step);
      calls += steps.length;
    }
    const after = stats().lanes;
    expect(after.threads.operations - before.threads.operations).to.equal(calls);
    expect(after.delegated.operations - before.delegated.operations).to.equal(0);
    expect(fs.readdirSync(dir)).to.deep.equal([]);
  });
});
