// copyFile, utimes, lutimes, statfs, mkdtemp, realpath, fchmod, fchown, futimes and the same of a FileHandle: results,
// errors and what is left behind are node's, also for arguments that node has to judge. None of the plain calls is
// node's to serve.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { stats } from 'ioengine';
import { skip } from '../helpers/backend.mjs';
import { SIDES } from '../helpers/oracle.mjs';
import { removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';

const { COPYFILE_EXCL, COPYFILE_FICLONE, COPYFILE_FICLONE_FORCE } = fs.constants;

/** What tells one error from another; its frames aside. */
const shown = (error) => ({
  class: error.constructor.name,
  message: error.message,
  keys: Object.keys(error),
  values: Object.values(error),
  hasFrames: error.stack.includes('\n    at '),
});

const outcome = async (call) => {
  try {
    return { value: await call() };
  } catch (error) {
    return { error: shown(error) };
  }
};

/** The six characters that mkdtemp chooses. */
const chosen = (value) => JSON.parse(JSON.stringify(value ?? null).replace(/(temporary-)\w{6}/g, '$1XXXXXX'));

const nanoseconds = ({ atimeNs, mtimeNs }) => [String(atimeNs), String(mtimeNs)];

const checksum = (path) => createHash('sha1').update(fs.readFileSync(path)).digest('hex');

/** Everything below the folder: mode, size, times that were set, where links lead. */
function left(folder) {
  const found = {};
  for (const name of fs.readdirSync(folder, { recursive: true }).sort()) {
    const path = `${folder}/${name}`;
    const { mode, size, uid, gid } = fs.lstatSync(path);
    found[chosen(name)] = [mode, size, uid, gid, fs.lstatSync(path).isFile() ? checksum(path) : ''];
  }
  return found;
}

function prepare(folder) {
  fs.mkdirSync(`${folder}/directory`);
  fs.writeFileSync(`${folder}/small`, 'small');
  fs.writeFileSync(`${folder}/large`, Buffer.alloc(700_001, 'large'), { mode: 0o640 });
  fs.writeFileSync(`${folder}/empty`, '', { mode: 0o444 });
  fs.writeFileSync(`${folder}/there`, 'what was there before, longer than small', { mode: 0o600 });
  fs.symlinkSync('small', `${folder}/link`);
  fs.symlinkSync('nowhere', `${folder}/dangling`);
  for (const name of ['small', 'there', 'link']) fs.lutimesSync(`${folder}/${name}`, 7, 8);
}

const COPIES = [
  ['small', 'new'],
  ['large', 'new'],
  ['empty', 'new'],
  ['small', 'there'],
  ['link', 'new'],
  ['small', 'link'],
  ['small', 'dangling'],
  ['small', 'small'],
  ['small', 'there', COPYFILE_EXCL],
  ['small', 'new', COPYFILE_EXCL],
  ['large', 'new', COPYFILE_FICLONE],
  ['large', 'new', COPYFILE_FICLONE_FORCE],
  ['large', 'there', COPYFILE_FICLONE_FORCE],
  ['none', 'new'],
  ['none', 'there'],
  ['directory', 'new'],
  ['small', 'directory'],
  ['small', 'none/new'],
  ['small', 'new', 8],
  ['small', 'new', 1.5],
  ['small', 'new', null],
  ['/proc/version', 'new'],
];

const TIMES = [
  [1, 2],
  [1.000001, 2.9999999],
  [1234567890.1234567, 0.1],
  [-1.5, new Date(-1500)],
  ['12.25', '-3.5'],
  [new Date(5), new Date('1960-01-02T03:04:05.678Z')],
  [Number.NaN, 1],
  [1, 'soon'],
  [1n, 1],
  [2 ** 40, 1],
];

/** Of a time below zero node makes the present. */
const isNow = (times) => times.some((time) => typeof time === 'number' && time < 0);

describe('parity: copies and attributes', () => {
  let directory;
  let start;
  beforeEach(() => {
    directory = temporaryDirectory();
    start = process.cwd();
  });
  afterEach(() => {
    process.chdir(start);
    removeDirectory(directory);
  });

  /** The outcomes of both sides, each in a folder of its own with the same names. */
  async function compare(work) {
    const outcomes = [];
    for (const side of SIDES) {
      // Of the same name, which errors show.
      const folder = `${directory}/here`;
      process.chdir(directory);
      fs.rmSync(folder, { recursive: true, force: true });
      fs.mkdirSync(folder);
      prepare(folder);
      process.chdir(folder);
      outcomes.push({ ...(await work(side)), left: left(folder) });
    }
    expect(outcomes[1]).to.deep.equal(outcomes[0]);
  }

  const bothForms = async (name, args, behind = () => undefined, show = (value) => value) => {
    await compare(async ({ fs: module_ }) => {
      const called = await outcome(async () => show(await promisify(module_[name])(...args)));
      return { called, behind: behind() };
    });
    await compare(async ({ fsp }) => {
      const promised = await outcome(async () => show(await fsp[name](...args)));
      return { promised, behind: behind() };
    });
  };

  for (const args of COPIES) it(`copyFile ${args.join(', ')}`, () => bothForms('copyFile', args));

  for (const times of TIMES) {
    const names = times.map((time) => (time instanceof Date ? time.toISOString() : typeof time + String(time)));
    const timesOf = (name) => () => (isNow(times) ? 'now' : nanoseconds(fs.lstatSync(name, { bigint: true })));
    it(`utimes, lutimes and futimes ${names.join(', ')}`, async () => {
      await bothForms('utimes', ['link', ...times], timesOf('small'));
      await bothForms('lutimes', ['link', ...times], timesOf('link'));
      await compare(async ({ fs: module_, fsp }) => {
        const fd = fs.openSync('small', 'r+');
        const called = await outcome(() => promisify(module_.futimes)(fd, ...times));
        fs.closeSync(fd);
        const handle = await fsp.open('there', 'r+');
        const promised = await outcome(() => handle.utimes(...times));
        await handle.close();
        return { called, promised, times: [timesOf('small')(), timesOf('there')()] };
      });
    });
  }

  it('utimes and lutimes of what is not there', async () => {
    await bothForms('utimes', ['none', 1, 2]);
    await bothForms('utimes', ['dangling', 1, 2]);
    await bothForms('lutimes', ['none', 1, 2]);
  });

  it('statfs', async () => {
    const show = (value) =>
      [value.constructor.name, Object.getPrototypeOf(value), ...Object.entries(value)].map(String);
    for (const options of [undefined, {}, { bigint: true }, { bigint: false }, { other: 1 }]) {
      await bothForms('statfs', ['/proc', options], undefined, show);
      await bothForms('statfs', ['none', options], undefined, show);
    }
  });

  it('mkdtemp', async () => {
    for (const options of [undefined, null, 'buffer', { encoding: 'hex' }, 'utf-8', { encoding: 'no such' }]) {
      await bothForms('mkdtemp', ['temporary-', options], undefined, (value) =>
        options === 'buffer' || options?.encoding === 'hex' ? value.length : chosen(value),
      );
    }
    await compare(async ({ fsp }) => {
      const { error } = await outcome(() => fsp.mkdtemp('none/temporary-'));
      return { error: chosen(error) };
    });
  });

  it('mkdtempDisposable', async function () {
    if (fs.promises.mkdtempDisposable === undefined) return skip(this, 'because this Node has no such function');
    const work = async ({ fsp }) => {
      const made = await fsp.mkdtempDisposable('temporary-');
      const keys = Reflect.ownKeys(made).map(String);
      const wasThere = fs.existsSync(made.path);
      fs.writeFileSync(`${made.path}/file`, '');
      process.chdir('directory');
      await made.remove();
      await made[Symbol.asyncDispose]();
      process.chdir('..');
      return { keys, prototype: Object.getPrototypeOf(made), wasThere, path: chosen(made.path) };
    };
    return compare(work);
  });

  it('realpath, with a callback and native', () =>
    compare(async ({ fs: module_ }) => {
      const results = {};
      for (const path of ['link', 'dangling', 'directory/../link', './/small/', 'none', '/proc/self/cwd/small']) {
        for (const options of [undefined, 'buffer', { encoding: 'hex' }]) {
          const call = (function_) => outcome(() => promisify(function_)(path, options));
          const found = [await call(module_.realpath), await call(module_.realpath.native)];
          results[`${path} ${JSON.stringify(options)}`] = found;
        }
      }
      return { results };
    }));

  it('fchmod and fchown', () =>
    compare(async ({ fs: module_, fsp }) => {
      const fd = fs.openSync('small', 'r+');
      const { uid, gid } = fs.fstatSync(fd);
      const results = [];
      for (const [name, ...args] of [
        ['fchmod', 0o612],
        ['fchmod', '605'],
        ['fchmod', '9'],
        ['fchmod', -1],
        ['fchown', uid, gid],
        ['fchown', -1, -1],
        ['fchown', uid, 'group'],
      ]) {
        results.push(await outcome(() => promisify(module_[name])(fd, ...args)));
        const handle = await fsp.open('there', 'r+');
        results.push(await outcome(() => handle[name.slice(1)](...args)));
        await handle.close();
        results.push(await outcome(() => handle[name.slice(1)](...args)));
      }
      fs.closeSync(fd);
      results.push(await outcome(() => promisify(module_.fchmod)(fd, 0o600)));
      return { results };
    }));

  it('the engine serves the plain ones', async () => {
    const { fs: module_, fsp } = SIDES[1];
    process.chdir(directory);
    prepare(directory);
    const handle = await fsp.open('small', 'r+');
    await handle.stat();
    const { operations } = stats().lanes.delegated;
    await fsp.copyFile('large', 'copy');
    await promisify(module_.copyFile)('large', 'copy');
    await fsp.utimes('small', 1, 2);
    await fsp.lutimes('link', 1, 2);
    await fsp.statfs('.');
    await fsp.mkdtemp('temporary-');
    await promisify(module_.realpath)('link');
    await promisify(module_.realpath.native)('link');
    await handle.chmod(0o600);
    await handle.chown(-1, -1);
    await handle.utimes(1, 2);
    await handle.close();
    expect(stats().lanes.delegated.operations - operations).to.equal(0);
  });
});
