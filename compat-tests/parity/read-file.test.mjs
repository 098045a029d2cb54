// readFile: callback, promise, FileHandle; by path and by descriptor.
import { constants } from 'node:buffer';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { openBelow, same } from '../helpers/compare.mjs';
import { ours, oursP } from '../helpers/oracle.mjs';
import { patternBytes, removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';
import { sameInChild } from './support/child.mjs';
import { closing, ODD_VALUES } from './support/values.mjs';

/** The same call by callback and by promise. */
async function both(side, ...args) {
  const callback = await side.callback((cb) => side.fs.readFile(...args, cb));
  return { callback, promise: await side.attempt(() => side.fsp.readFile(...args)) };
}

const SIZES = [0, 1, 511, 4095, 4096, 4097, 65_535, 65_536, 65_537, 131_072, 524_288, 524_289, 1_048_576, 5_000_003];
const ENCODINGS = [
  'utf8',
  'utf-8',
  'UTF8',
  'latin1',
  'binary',
  'ascii',
  'hex',
  'base64',
  'base64url',
  'ucs2',
  'utf16le',
  'buffer',
  null,
  undefined,
  '',
  'no-such',
  7,
];

describe('parity: readFile', () => {
  same('sizes around every block size', async (side) => {
    const seen = {};
    for (const size of SIZES) seen[size] = await both(side, side.put(`size-${size}`, patternBytes(size, size + 1)));
    return seen;
  });

  same('encodings', async (side) => {
    const file = side.put('text', 'grüße \u{1f600}\n'.repeat(40_000));
    const seen = {};
    for (const encoding of ENCODINGS) {
      seen[`as string: ${encoding}`] = await both(side, file, encoding);
      seen[`as option: ${encoding}`] = await both(side, file, { encoding });
    }
    return seen;
  });

  same('flags', async (side) => {
    const seen = {};
    for (const flag of ['r', 'r+', 'w', 'w+', 'a', 'a+', 'ax', 'wx', 'rs+', 'bad', 0, fs.constants.O_DIRECTORY, null]) {
      seen[`existing, ${flag}`] = await both(side, side.put('file', 'content'), { flag });
      seen[`absent, ${flag}`] = await both(side, side.file(`absent-${flag}`), { flag, encoding: 'utf8' });
    }
    return seen;
  });

  same('a read that fails, around the size up to which Node 26 names the path in the error', async (side) => {
    const seen = {};
    for (const size of [1, 524_288, 524_289]) {
      const file = side.put(`size-${size}`, patternBytes(size, 2));
      seen[size] = await both(side, file, { flag: 'a' });
      seen[`${size}, path as bytes`] = await both(side, Buffer.from(file), { flag: 'a', encoding: 'utf8' });
      seen[`${size}, signal`] = await both(side, file, { flag: 'a', signal: new AbortController().signal });
    }
    return seen;
  });

  same("a buffer of the caller's (Node 26)", async (side) => {
    const file = side.put('file', patternBytes(70_000, 4));
    const handle = await side.fsp.open(file);
    return closing(handle, async () => {
      const seen = {};
      for (const bytes of [0, 69_999, 70_000, 100_000]) {
        const buffers = [Buffer.alloc(bytes), Buffer.alloc(bytes), Buffer.alloc(bytes)];
        seen[bytes] = await both(side, file, { buffer: buffers[0] });
        seen[`${bytes}, encoding`] = await both(side, file, { buffer: buffers[1], encoding: 'latin1' });
        seen[`${bytes}, function`] = await both(side, file, { buffer: () => buffers[2] });
        seen[`${bytes}, handle`] = await side.attempt(() => handle.readFile({ buffer: Buffer.alloc(bytes) }));
        seen[`${bytes}, filled`] = buffers;
      }
      for (const [label, odd] of ODD_VALUES) seen[`odd ${label}`] = await both(side, file, { buffer: odd });
      return seen;
    });
  });

  same('paths that fail, and forms of paths', async (side) => {
    const file = side.put('file', 'content');
    fs.symlinkSync('loop', side.file('loop'));
    const seen = {};
    const paths = {
      url: pathToFileURL(file),
      buffer: Buffer.from(file),
      absent: side.file('no'),
      directory: side.dir,
      loop: side.file('loop'),
      below: `${file}/x`,
      long: `/${'y'.repeat(300)}`,
      nul: 'a\0b',
      empty: '',
    };
    for (const [label, value] of Object.entries(paths)) seen[label] = await both(side, value);
    for (const [label, value] of ODD_VALUES) {
      if (value === 0 || typeof value === 'symbol') continue;
      // Node 20 raises this one later, as an uncaught exception.
      if (value === -1) seen[`odd ${label}, promise`] = await side.attempt(() => side.fsp.readFile(value));
      else seen[`odd ${label}`] = await both(side, value);
    }
    return seen;
  });

  same('options and callbacks that are none', async (side) => {
    const file = side.put('file', 'content');
    const seen = {};
    for (const [label, odd] of ODD_VALUES) {
      seen[`options ${label}`] = await both(side, file, odd);
      seen[`callback ${label}`] = await side.attempt(() => side.fs.readFile(file, {}, odd));
    }
    return seen;
  });

  same('by descriptor: from the current position, the descriptor stays open', async (side) => {
    const fd = fs.openSync(side.put('file', patternBytes(200_000, 3)), 'r');
    fs.readSync(fd, Buffer.alloc(1000));
    const seen = {
      first: await side.callback((cb) => side.fs.readFile(fd, cb)),
      again: await side.callback((cb) => side.fs.readFile(fd, 'utf8', cb)),
    };
    fs.closeSync(fd);
    seen.closed = await side.callback((cb) => side.fs.readFile(fd, cb));
    const writeOnly = fs.openSync(side.file('w'), 'w');
    seen.writeOnly = await side.callback((cb) => side.fs.readFile(writeOnly, cb));
    fs.closeSync(writeOnly);
    const directory = fs.openSync(side.dir, 'r');
    seen.directory = await side.callback((cb) => side.fs.readFile(directory, cb));
    fs.closeSync(directory);
    return seen;
  });

  same('by handle: from the current position, the handle stays open', async (side) => {
    const handle = await side.fsp.open(side.put('file', patternBytes(200_000, 3)), 'r');
    await handle.read(Buffer.alloc(1000));
    const seen = {
      'promises.readFile(handle)': await side.attempt(() => side.fsp.readFile(handle)),
      'handle.readFile at the end': await side.attempt(() => handle.readFile('utf8')),
    };
    await handle.read(Buffer.alloc(1), 0, 1, 0);
    seen.still = await side.attempt(() => handle.readFile());
    await handle.close();
    seen.closed = await side.attempt(() => handle.readFile());
    seen['closed, by promises.readFile'] = await side.attempt(() => side.fsp.readFile(handle));
    const other = await side.fsp.open(side.file('file'));
    await closing(other, async () => {
      for (const options of ['latin1', { encoding: 'hex' }, { encoding: 'no-such' }, {}, null, 4]) {
        seen[`options ${JSON.stringify(options)}`] = await side.attempt(() => other.readFile(options));
      }
    });
    return seen;
  });

  same('procfs, sysfs and devices that say size 0', async (side) => {
    const seen = {};
    for (const file of [
      '/proc/cpuinfo',
      '/proc/version',
      '/proc/self/environ',
      '/proc/sys/kernel/ostype',
      '/sys/kernel/mm/transparent_hugepage/enabled',
      '/dev/null',
      '/proc/self/mem',
    ]) {
      seen[file] = await both(side, file, 'latin1');
      // MHz figures of cpuinfo move by themselves.
      if (file === '/proc/cpuinfo') seen[file] = (await side.fsp.readFile(file, 'utf8')).replaceAll(/MHz.*/g, '');
    }
    return seen;
  });

  same('a FIFO is read to its end', async (side) => {
    const fifo = side.file('fifo');
    execFileSync('mkfifo', [fifo]);
    const seen = {};
    const forms = {
      callback: () => side.callback((cb) => side.fs.readFile(fifo, 'utf8', cb)),
      promise: () => side.attempt(() => side.fsp.readFile(fifo, 'utf8')),
    };
    for (const [form, call] of Object.entries(forms)) {
      const reading = call();
      await fs.promises.writeFile(fifo, 'through the pipe '.repeat(20_000));
      seen[form] = await reading;
    }
    return seen;
  });

  same('more than 2 GiB', async (side) => {
    fs.writeFileSync(side.file('huge'), '');
    fs.truncateSync(side.file('huge'), 2 ** 31 + 1);
    const seen = await both(side, side.file('huge'));
    const handle = await side.fsp.open(side.file('huge'));
    return closing(handle, async () => ({ path: seen, handle: await side.attempt(() => handle.readFile()) }));
  });

  same('signals', async (side) => {
    const file = side.put('file', patternBytes(3_000_000, 5));
    const aborted = AbortSignal.abort();
    const reason = AbortSignal.abort(new Error('my reason'));
    const handle = await side.fsp.open(file);
    return closing(handle, async () => {
      const seen = {
        'aborted before': await both(side, file, { signal: aborted }),
        'aborted before, with a reason': await both(side, file, { signal: reason }),
        'aborted before, absent file': await both(side, side.file('no'), { signal: aborted }),
        'handle, aborted before': await side.attempt(() => handle.readFile({ signal: aborted })),
        'never aborted': await both(side, file, { signal: new AbortController().signal }),
        'not a signal': await both(side, file, { signal: 'stop' }),
        'not a signal either': await both(side, file, { signal: {} }),
      };
      for (const kind of ['promise', 'handle', 'callback']) {
        const controller = new AbortController();
        const options = { signal: controller.signal };
        const call = {
          promise: () => side.attempt(() => side.fsp.readFile(file, options)),
          handle: () => side.attempt(() => handle.readFile(options)),
          callback: () => side.callback((cb) => side.fs.readFile(file, options, cb)),
        }[kind]();
        controller.abort();
        seen[`aborted in the same turn, ${kind}`] = await call;
      }
      return seen;
    });
  });

  it('one signal for many calls is not listened to', () =>
    sameInChild(`
      import { getEventListeners } from 'node:events';
      process.on('warning', (warning) => log(warning.name));
      fs.writeFileSync(dir + '/file', Buffer.alloc(2e6));
      const { signal } = new AbortController();
      const handle = await fsp.open(dir + '/file');
      const calls = Array.from({ length: 40 }, (_, index) => [
        fsp.readFile(dir + '/file', { signal }),
        new Promise((resolve) => fs.readFile(dir + '/file', { signal }, resolve)),
        fsp.writeFile(dir + '/' + index, 'x', { signal }),
      ]).flat();
      calls.push(handle.readFile({ signal }));
      log(getEventListeners(signal, 'abort').length);
      await Promise.all(calls);
      await handle.close();
      await new Promise((resolve) => setTimeout(resolve, 10));
      log(getEventListeners(signal, 'abort').length);
    `));

  same('text that is longer than a string can be', async (side) => {
    const file = side.put('long', '');
    fs.truncateSync(file, constants.MAX_STRING_LENGTH + 1);
    const seen = await both(side, file, 'latin1');
    const handle = await side.fsp.open(file);
    return closing(handle, async () => ({ seen, handle: await side.attempt(() => handle.readFile('latin1')) }));
  });

  same('200 files at once', async (side) => {
    const names = Array.from({ length: 200 }, (_, index) => side.put(`f${index}`, patternBytes(index * 37, index + 1)));
    const seen = await Promise.all(names.map((file) => side.fsp.readFile(file)));
    return { right: seen.map((bytes, index) => bytes.equals(patternBytes(index * 37, index + 1))) };
  });

  // In the page cache and on a filesystem where the pool reads; more than one turn of the loop serves.
  for (const base of [undefined, '/dev/shm']) {
    it(`hundreds of small files at once, each its own content (${base ?? 'the folder for temporary files'})`, async () => {
      const directory = temporaryDirectory(base);
      try {
        const contents = Array.from({ length: 700 }, (_, i) => patternBytes(i * 97, i + 1));
        const files = contents.map((content, i) => {
          fs.writeFileSync(`${directory}/${i}`, content);
          return `${directory}/${i}`;
        });
        for (let round = 0; round < 2; round++) {
          const callbacks = files.map((file) => promisify(ours.readFile)(file));
          const texts = files.map((file) => oursP.readFile(file, 'latin1'));
          const read = await Promise.all(files.map((file) => oursP.readFile(file)));
          const called = await Promise.all(callbacks);
          const decoded = await Promise.all(texts);
          contents.forEach((content, i) => {
            expect(content.equals(read[i]), `file ${i}`).to.equal(true);
            expect(read[i].buffer.byteLength, `memory of file ${i}`).to.equal(content.length);
            expect(content.equals(called[i]), `file ${i} by callback`).to.equal(true);
            expect(content.toString('latin1') === decoded[i], `text of file ${i}`).to.equal(true);
          });
        }
        expect(openBelow(directory)).to.deep.equal([]);
      } finally {
        removeDirectory(directory);
      }
    });
  }
});
