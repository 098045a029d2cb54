// open: the callback form, the promise form, and ours without a callback.
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { descriptorState, same } from '../helpers/compare.mjs';
import { node, ours, oursP } from '../helpers/oracle.mjs';
import { removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';
import { runAsNobody } from './support/child.mjs';
import { ODD_VALUES } from './support/values.mjs';

const c = fs.constants;
const STRING_FLAGS = [
  'r',
  'r+',
  'rs',
  'sr',
  'rs+',
  'sr+',
  'w',
  'wx',
  'xw',
  'w+',
  'wx+',
  'xw+',
  'a',
  'ax',
  'xa',
  'as',
  'sa',
  'a+',
  'ax+',
  'xa+',
  'as+',
  'sa+',
];
const NUMBER_FLAGS = [
  c.O_RDONLY,
  c.O_WRONLY,
  c.O_RDWR,
  c.O_RDWR | c.O_CREAT,
  c.O_RDWR | c.O_CREAT | c.O_EXCL,
  c.O_WRONLY | c.O_TRUNC,
  c.O_WRONLY | c.O_APPEND,
  c.O_RDONLY | c.O_DIRECTORY,
  c.O_RDONLY | c.O_NOFOLLOW,
  c.O_RDONLY | c.O_NOATIME,
  c.O_RDWR | c.O_SYNC,
  c.O_RDWR | c.O_DSYNC,
  c.O_RDONLY | c.O_NONBLOCK,
  c.O_WRONLY | c.O_CREAT | c.O_NOFOLLOW,
];
const BAD_FLAGS = [
  '',
  'rr',
  'R',
  'wa',
  'x',
  '0',
  true,
  false,
  {},
  [],
  -1,
  1.5,
  Number.NaN,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  1n,
  Symbol('f'),
];
const GOOD_MODES = [0o600, 0o777, 0, '600', '0644', 0o4755, undefined, null];
const BAD_MODES = ['', 'abc', '9', -1, 1.5, 2 ** 32, Number.NaN, true, {}, 1n];

function prepare(side) {
  side.put('file', 'content');
  fs.mkdirSync(side.file('directory'));
  fs.symlinkSync('file', side.file('link'));
  fs.symlinkSync('missing', side.file('dangling'));
  fs.symlinkSync('loop', side.file('loop'));
  fs.symlinkSync('directory', side.file('dirlink'));
}
const TARGETS = [
  'file',
  'absent',
  'directory',
  'link',
  'dangling',
  'loop',
  'dirlink',
  'file/below',
  'absent/below',
  'x'.repeat(256),
  'directory/',
];

/** Opens by callback and by promise; what the kernel says about the descriptors, or the errors. */
async function openBoth(side, args, reset = () => {}) {
  reset();
  let state;
  const callback = await side.callback((cb) =>
    side.fs.open(...args, (error, fd, ...rest) => {
      if (fd >= 0) {
        state = descriptorState(fd);
        fs.closeSync(fd);
      }
      cb(error, typeof fd, ...rest);
    }),
  );
  reset();
  const promise = await side.attempt(async () => {
    const handle = await side.fsp.open(...args);
    const opened = { state: descriptorState(handle.fd), handle: side.describe(handle) };
    await handle.close();
    return opened;
  });
  return { callback, state, promise };
}

describe('parity: open', () => {
  for (const flags of [...STRING_FLAGS, ...NUMBER_FLAGS, undefined, null]) {
    same(`flags ${typeof flags === 'number' ? `0o${flags.toString(8)}` : flags}`, async (side) => {
      prepare(side);
      const seen = {};
      for (const target of TARGETS) {
        const reset = () => {
          fs.writeFileSync(side.file('file'), 'content');
          for (const made of ['absent', 'missing', 'x'.repeat(255)]) fs.rmSync(side.file(made), { force: true });
        };
        seen[target] = await openBoth(side, [side.file(target), flags], reset);
      }
      return seen;
    });
  }

  same('without flags', async (side) => {
    prepare(side);
    return { file: await openBoth(side, [side.file('file')]), absent: await openBoth(side, [side.file('absent')]) };
  });

  same('invalid flags', async (side) => {
    prepare(side);
    const seen = {};
    for (const flags of BAD_FLAGS)
      seen[`${typeof flags} ${String(flags)}`] = await openBoth(side, [side.file('file'), flags]);
    return seen;
  });

  same('modes and the umask', async (side) => {
    const seen = {};
    const before = process.umask(0o027);
    try {
      for (const [index, mode] of GOOD_MODES.entries()) {
        const file = side.file(`made${index}`);
        seen[`mode ${mode}`] = await openBoth(side, [file, 'w', mode]);
        seen[`mode ${mode}, result`] = fs.statSync(file).mode.toString(8);
      }
      for (const mode of BAD_MODES)
        seen[`bad mode ${typeof mode} ${mode}`] = await openBoth(side, [side.file('bad'), 'w', mode]);
    } finally {
      process.umask(before);
    }
    return seen;
  });

  same('forms of paths', async (side) => {
    const file = side.put('späße %41 #?', 'x');
    const raw = Buffer.concat([Buffer.from(`${side.dir}/`), Buffer.from([0xff, 0xfe, 0x80])]);
    fs.writeFileSync(raw, 'raw');
    const paths = {
      string: file,
      buffer: Buffer.from(file),
      uint8array: new Uint8Array(Buffer.from(file)),
      url: pathToFileURL(file),
      'bytes that are not UTF-8': raw,
      relative: path.relative(process.cwd(), file),
      'with dots': `${side.dir}/./../${path.basename(side.dir)}/späße %41 #?`,
      'empty string': '',
      'empty buffer': Buffer.alloc(0),
      'NUL in a string': 'a\0b',
      'NUL in a buffer': Buffer.from('a\0b'),
      'http URL': new URL('http://example.org/x'),
      'URL with a host': new URL('file://host/x'),
      'URL with %2F': new URL('file:///a%2Fb'),
      'URL with %00': new URL('file:///a%00b'),
      'URL as a string': pathToFileURL(file).href,
      'too long': `/${'y'.repeat(5000)}`,
    };
    for (const [label, value] of ODD_VALUES) if (typeof value !== 'string') paths[`odd ${label}`] = value;
    const seen = {};
    for (const [label, value] of Object.entries(paths)) seen[label] = await openBoth(side, [value, 'r']);
    return seen;
  });

  same('callbacks that are none', async (side) => {
    prepare(side);
    const seen = {};
    for (const [label, odd] of ODD_VALUES) {
      // The one addition to node:fs: without a callback open answers a promise of a FileHandle.
      if (odd === undefined) continue;
      seen[label] = await side.attempt(() => side.fs.open(side.file('file'), 'r', 0o666, odd));
    }
    return seen;
  });

  same('many at once', async (side) => {
    prepare(side);
    const handles = await Promise.all(Array.from({ length: 60 }, () => side.fsp.open(side.file('file'))));
    const distinct = new Set(handles.map((handle) => handle.fd)).size;
    await Promise.all(handles.map((handle) => handle.close()));
    return { distinct };
  });

  same('special files', async (side) => {
    const seen = {};
    for (const file of ['/dev/null', '/proc/cpuinfo', '/proc/self/mem', '/proc/self/fd', '/sys/kernel', '/']) {
      for (const flags of ['r', 'w']) {
        if (file === '/proc/self/mem' && flags === 'w') continue;
        seen[`${file} ${flags}`] = await openBoth(side, [file, flags]);
      }
    }
    return seen;
  });

  it('errors for a user without rights equal node’s (child as another user)', async function () {
    await runAsNobody(this, [
      ['open', 'r'],
      ['open', 'r+'],
      ['open', 'w'],
      ['readFile', undefined],
      ['writeFile', 'x'],
      ['appendFile', 'x'],
    ]);
  });
});

describe('open without a callback (ours)', () => {
  let directory;
  before(() => {
    directory = temporaryDirectory();
    fs.writeFileSync(path.join(directory, 'file'), 'content');
  });
  after(() => removeDirectory(directory));

  it('gives a promise of a FileHandle that node accepts as its own', async () => {
    const opened = ours.open(path.join(directory, 'file'));
    expect(opened).to.be.instanceOf(Promise);
    const handle = await opened;
    try {
      const probe = await node.promises.open(path.join(directory, 'file'));
      const FileHandle = probe.constructor;
      await probe.close();
      expect(handle).to.be.instanceOf(FileHandle);
      expect(await node.promises.readFile(handle, 'utf8')).to.equal('content');
    } finally {
      await handle.close();
    }
  });

  it('rejects, and never throws, on bad input, with the error of promises.open', async () => {
    for (const args of [
      [undefined],
      [path.join(directory, 'no')],
      [path.join(directory, 'file'), 'rr'],
      [path.join(directory, 'n'), 'w', 'abc'],
      [3],
      ['a\0b'],
    ]) {
      let opened;
      expect(() => {
        opened = ours.open(...args);
      }, String(args)).to.not.throw();
      const error = await opened.then(
        () => null,
        (reason) => reason,
      );
      const expected = await node.promises.open(...args).then(
        () => null,
        (reason) => reason,
      );
      expect(error, String(args)).to.be.instanceOf(Error);
      expect({
        code: error.code,
        message: error.message,
        name: error.name,
        errno: error.errno,
        syscall: error.syscall,
        path: error.path,
      }).to.deep.equal({
        code: expected.code,
        message: expected.message,
        name: expected.name,
        errno: expected.errno,
        syscall: expected.syscall,
        path: expected.path,
      });
    }
  });

  it('takes flags and mode, and the options form', async () => {
    const made = path.join(directory, 'made');
    const handle = await ours.open(made, 'w', 0o640);
    await handle.close();
    expect(fs.statSync(made).mode & 0o777).to.equal(0o640 & ~process.umask());
    for (const open of [ours.open, oursP.open]) {
      const optioned = await open(made, { flags: 'a+', mode: 0o600 });
      expect(descriptorState(optioned.fd).flags).to.match(/2002$/);
      await optioned.close();
    }
  });
});
