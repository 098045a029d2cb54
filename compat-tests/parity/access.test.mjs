// access and exists: every mode, on files that allow it and files that do not.
import fs from 'node:fs';
import { promisify } from 'node:util';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { compareSides, same, skipBecause } from '../helpers/compare.mjs';
import { ours } from '../helpers/oracle.mjs';
import { ODD_VALUES } from './support/values.mjs';

const NOBODY = 65_534;

async function all(side, path, ...mode) {
  return {
    promise: await side.attempt(() => side.fsp.access(path, ...mode)),
    callback: await side.callback((cb) => side.fs.access(path, ...mode, cb)),
    exists: await side.callback((cb) => side.fs.exists(path, cb)),
    promisified: await side.attempt(() => promisify(side.fs.exists)(path)),
  };
}

function tree(side) {
  for (const mode of [0o000, 0o111, 0o222, 0o444, 0o666, 0o755]) {
    fs.chmodSync(side.put(`mode-${mode.toString(8)}`, ''), mode);
  }
  fs.mkdirSync(side.file('closed'));
  fs.writeFileSync(side.file('closed/file'), '');
  fs.chmodSync(side.file('closed'), 0o600);
  fs.symlinkSync('nowhere', side.file('dangling'));
  fs.symlinkSync('loop', side.file('loop'));
  fs.symlinkSync('mode-444', side.file('link'));
  const names = fs.readdirSync(side.dir).map((name) => side.file(name));
  return [...names, side.file('closed/file'), side.file('absent'), side.file('mode-444/x'), `${side.dir}/mode-444/`];
}

async function everyMode(side) {
  const seen = {};
  for (const file of tree(side)) {
    seen[file] = await all(side, file);
    for (let mode = 0; mode <= 7; mode++) seen[`${file} ${mode}`] = await all(side, file, mode);
  }
  fs.chmodSync(side.file('closed'), 0o700);
  return seen;
}

describe('parity: access and exists', () => {
  same('every mode', everyMode);

  // access(2) asks for the real user, open(2) for the effective one.
  for (const [who, become] of [
    ['another effective user', (id) => process.seteuid(id)],
    ['another effective group and user', (id) => [process.setegid(id), process.seteuid(id)]],
  ]) {
    it(`as ${who}`, async function () {
      if (process.getuid() !== 0) skipBecause(this, 'only root may change its user');
      await compareSides(async (side) => {
        const files = tree(side);
        fs.chmodSync(`${side.dir}/..`, 0o755);
        const seen = {};
        try {
          become(NOBODY);
          for (const file of files)
            for (const mode of [0, 4, 2, 1]) seen[`${file} ${mode}`] = await all(side, file, mode);
        } finally {
          process.seteuid(0);
          process.setegid(0);
          fs.chmodSync(side.file('closed'), 0o700);
        }
        return seen;
      });
    });
  }

  same('forms of paths, and paths that are none', async (side) => {
    const file = side.put('file', '');
    const seen = {};
    const paths = [file, pathToFileURL(file), Buffer.from(file), '', '.', 'a\0b', '/proc/self/exe', '/dev/null', '/'];
    for (const value of paths) seen[String(value)] = await all(side, value);
    seen.long = await all(side, `/${'y'.repeat(5000)}`);
    for (const [label, value] of ODD_VALUES) seen[`odd ${label}`] = await all(side, value);
    return seen;
  });

  same('modes and callbacks that are none', async (side) => {
    const file = side.put('file', '');
    const seen = {};
    for (const [label, odd] of [...ODD_VALUES, ['eight', 8]]) {
      seen[`promise ${label}`] = await side.attempt(() => side.fsp.access(file, odd));
      seen[`callback mode ${label}`] = await side.callback((cb) => side.fs.access(file, odd, cb));
      seen[`callback ${label}`] = await side.attempt(() => side.fs.access(file, 0, odd));
      seen[`exists ${label}`] = await side.attempt(() => side.fs.exists(file, odd));
    }
    return seen;
  });

  it('tells of a file that comes and goes', async () => {
    const file = `${fs.mkdtempSync('/tmp/ioengine-test-')}/file`;
    const exists = () => new Promise((resolve) => ours.exists(file, resolve));
    for (let round = 0; round < 20; round++) {
      expect(await exists()).to.equal(false);
      fs.writeFileSync(file, '');
      expect(await exists()).to.equal(true);
      expect(await ours.promises.access(file)).to.equal(undefined);
      fs.unlinkSync(file);
    }
    fs.rmdirSync(file.slice(0, -5));
  });
});
