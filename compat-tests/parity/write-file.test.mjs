// writeFile and appendFile: callback, promise, FileHandle; by path and by descriptor.
import fs from 'node:fs';
import { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { descriptorState, same, skipBecause } from '../helpers/compare.mjs';
import { injection, straceObstacle } from '../helpers/faults.mjs';
import { patternBytes, patternText } from '../helpers/tempdir.mjs';
import { sameInChild } from './support/child.mjs';
import { NOT_VIEWS, ODD_VALUES, VIEWS } from './support/values.mjs';

/** The same call by callback and by promise, each on a fresh file with old content. */
async function both(side, name, data, options, old = 'old content that is longer') {
  const seen = {};
  const args = (form) => {
    const file = side.file(form);
    if (old === undefined) fs.rmSync(file, { force: true });
    else fs.writeFileSync(file, old);
    return options === undefined ? [file, data()] : [file, data(), options];
  };
  seen.callback = await side.callback((cb) => side.fs[name](...args('callback'), cb));
  seen.callbackFile = fs.existsSync(side.file('callback')) ? side.bytes('callback') : 'absent';
  seen.promise = await side.attempt(() => side.fsp[name](...args('promise')));
  seen.promiseFile = fs.existsSync(side.file('promise')) ? side.bytes('promise') : 'absent';
  return seen;
}

async function* pieces() {
  yield 'one ';
  await null;
  yield Buffer.from('two ');
  yield new Uint8Array([51, 32]);
}

for (const name of ['writeFile', 'appendFile']) {
  describe(`parity: ${name}`, () => {
    same('sizes', async (side) => {
      const seen = {};
      for (const size of [0, 1, 4096, 65_537, 524_288, 524_289, 3_000_001]) {
        seen[`bytes ${size}`] = await both(side, name, () => patternBytes(size, size + 2));
        seen[`text ${size}`] = await both(side, name, () => patternText(size, size + 2));
      }
      return seen;
    });

    same('kinds of data', async (side) => {
      const seen = {};
      for (const [label, make] of [...VIEWS, ...NOT_VIEWS]) seen[label] = await both(side, name, make);
      for (const [label, value] of ODD_VALUES) seen[`odd ${label}`] = await both(side, name, () => value);
      seen['string object'] = await both(side, name, () => new String('boxed'));
      return seen;
    });

    same('encodings and options', async (side) => {
      const seen = {};
      for (const encoding of ['utf8', 'latin1', 'hex', 'base64', 'ucs2', 'no-such', '', null]) {
        seen[`encoding ${encoding}`] = await both(side, name, () => 'abcdef', encoding);
        seen[`option ${encoding}`] = await both(side, name, () => 'abcdef', { encoding });
      }
      for (const flag of ['w', 'a', 'wx', 'ax', 'r', 'r+', 'w+', 'as', 'bad', null, 1, 1025]) {
        seen[`flag ${flag}`] = await both(side, name, () => 'abcdef', { flag });
        seen[`flag ${flag}, absent`] = await both(side, name, () => 'abcdef', { flag }, undefined);
      }
      for (const flush of [true, false, undefined, null, 1, 'yes']) {
        seen[`flush ${typeof flush} ${flush}`] = await both(side, name, () => 'abcdef', { flush });
      }
      for (const mode of [0o600, 0o444, '640', undefined, null, -1, 'x', {}]) {
        seen[`mode ${typeof mode} ${mode}`] = await both(side, name, () => 'abcdef', { mode }, undefined);
        for (const form of ['callback', 'promise']) {
          const file = side.file(form);
          seen[`mode ${typeof mode} ${mode}, ${form} file`] = fs.existsSync(file) && fs.statSync(file).mode.toString(8);
        }
      }
      for (const [label, odd] of ODD_VALUES)
        if (odd !== undefined) seen[`options ${label}`] = await both(side, name, () => 'abcdef', odd);
      return seen;
    });

    same('callbacks that are none', async (side) => {
      const seen = {};
      for (const [label, odd] of ODD_VALUES) {
        seen[label] = await side.attempt(() => side.fs[name](side.file('never'), 'data', {}, odd));
      }
      seen['file made'] = fs.existsSync(side.file('never'));
      return seen;
    });

    same('paths', async (side) => {
      const seen = {};
      fs.mkdirSync(side.file('directory'));
      const targets = {
        url: pathToFileURL(side.file('url')),
        buffer: Buffer.from(side.file('buffer')),
        'below nothing': side.file('no/file'),
        directory: side.file('directory'),
        nul: 'a\0',
        empty: '',
        full: '/dev/full',
        sink: '/dev/null',
      };
      for (const [label, file] of Object.entries(targets)) {
        seen[`${label}, callback`] = await side.callback((cb) => side.fs[name](file, 'data', cb));
        seen[`${label}, promise`] = await side.attempt(() => side.fsp[name](file, 'data'));
        seen[`${label}, many bytes`] = await side.attempt(() => side.fsp[name](file, Buffer.alloc(700_000, 1)));
      }
      return seen;
    });

    same('by descriptor: at the current position, without truncation', async (side) => {
      const seen = {};
      for (const flags of ['r+', 'a', 'r']) {
        const fd = fs.openSync(side.put('file', 'old content that is longer'), flags);
        seen[`${flags} first`] = await side.callback((cb) => side.fs[name](fd, 'new ', cb));
        seen[`${flags} second`] = await side.callback((cb) => side.fs[name](fd, Buffer.from('newer '), cb));
        seen[`${flags} third, flush`] = await side.callback((cb) => side.fs[name](fd, 'x', { flush: true }, cb));
        seen[`${flags} state`] = descriptorState(fd);
        seen[`${flags} file`] = side.bytes('file');
        fs.closeSync(fd);
        seen[`${flags} closed`] = await side.callback((cb) => side.fs[name](fd, 'new ', cb));
      }
      return seen;
    });

    same('by handle: at the current position, without truncation', async (side) => {
      const seen = {};
      for (const flags of ['r+', 'a', 'r']) {
        const handle = await side.fsp.open(side.put('file', 'old content that is longer'), flags);
        seen[`${flags} method`] = await side.attempt(() => handle[name]('new '));
        seen[`${flags} method, bytes`] = await side.attempt(() => handle[name](Buffer.from('newer '), { flush: true }));
        seen[`${flags} method, encoding`] = await side.attempt(() => handle[name]('616263', 'hex'));
        seen[`${flags} function`] = await side.attempt(() => side.fsp[name](handle, 'newest '));
        seen[`${flags} iterable`] = await side.attempt(() => handle[name](pieces()));
        seen[`${flags} large`] = await side.attempt(() => handle[name](patternBytes(600_000)));
        seen[`${flags} wrong data`] = await side.attempt(() => handle[name]({}));
        seen[`${flags} state`] = descriptorState(handle.fd);
        seen[`${flags} file`] = side.bytes('file');
        await handle.close();
        seen[`${flags} closed`] = await side.attempt(() => handle[name]('new '));
      }
      return seen;
    });

    same('iterables and streams as data', async (side) => {
      const seen = {};
      const sources = {
        'async generator': () => pieces(),
        generator: () => ['a', 'b', Buffer.from('c')].values(),
        array: () => ['a', 'b'],
        stream: () => Readable.from(['stream ', 'of ', 'text']),
        'web stream': () => new Blob(['web ', 'stream']).stream(),
        'bad piece': () => ['a', 5, 'c'].values(),
        'empty generator': () => [].values(),
        'failing generator': async function* fail() {
          yield 'written before ';
          throw new RangeError('from the source');
        },
        'large pieces': async function* large() {
          for (let i = 0; i < 5; i++) yield patternBytes(300_001, i + 1);
        },
      };
      for (const [label, source] of Object.entries(sources)) {
        seen[label] = await both(side, name, source);
        seen[`${label}, with an encoding`] = await both(side, name, source, 'latin1');
        seen[`${label}, with an aborted signal`] = await both(side, name, source, { signal: AbortSignal.abort() });
      }
      return seen;
    });

    same('signals', async (side) => {
      const seen = {
        'aborted before': await both(side, name, () => 'data', { signal: AbortSignal.abort() }),
        'aborted before, with a reason': await both(side, name, () => 'data', { signal: AbortSignal.abort('reason') }),
        'not a signal': await both(side, name, () => 'data', { signal: 'stop' }),
        'never aborted': await both(side, name, () => 'data', { signal: new AbortController().signal }),
      };
      const controller = new AbortController();
      async function* stopping() {
        yield 'first ';
        controller.abort();
        yield 'second ';
      }
      seen['aborted by the source'] = await side.attempt(() =>
        side.fsp[name](side.file('p'), stopping(), { signal: controller.signal }),
      );
      return seen;
    });

    same('many files at once', async (side) => {
      await Promise.all(
        Array.from({ length: 100 }, (_, i) => side.fsp[name](side.file(`f${i}`), patternBytes(i * 61, i + 1))),
      );
      return { count: fs.readdirSync(side.dir).length }; // the snapshot compares their bytes
    });
  });
}

describe('parity: flush of writeFile and appendFile', () => {
  // Without the fsync nobody would hear of the error. Larger files are synced by the kernel queues, which strace does
  // not see.
  it('the error of fsync is that of the call', async function () {
    const obstacle = straceObstacle();
    if (obstacle) skipBecause(this, obstacle);
    const strace = ['strace', '-f', '-qq', '-o', '/dev/null', '-e', 'trace=fsync'];
    const { stdout } = await sameInChild(
      `
      const said = (error) => (error ? [error.code, error.syscall, error.message, error.path, Object.keys(error)] : 'written');
      for (const name of ['writeFile', 'appendFile']) {
        for (const data of ['text', Buffer.from('bytes')]) {
          for (const flush of [true, false]) {
            log(name, flush, await fsp[name](dir + '/promise', data, { flush }).then(said, said));
            log(name, flush, await new Promise((resolve) => fs[name](dir + '/callback', data, { flush }, (error) => resolve(said(error)))));
          }
        }
      }
      log(fs.statSync(dir + '/promise').size, fs.statSync(dir + '/callback').size);
    `,
      { wrap: [...strace, '-e', `inject=${injection('fsync', { error: 'EIO' })}`, '--'] },
    );
    expect(stdout.match(/EIO,fsync/g)).to.have.length(8);
  });

  // procfs writes it, and has no fsync.
  same('a file that is node’s to write', async (side) => {
    const file = '/proc/self/coredump_filter';
    const value = `0x${fs.readFileSync(file, 'latin1').trim()}`;
    const seen = {};
    for (const name of ['writeFile', 'appendFile']) {
      for (const flush of [true, false]) {
        seen[`${name}, promise, ${flush}`] = await side.attempt(() => side.fsp[name](file, value, { flush }));
        seen[`${name}, callback, ${flush}`] = await side.callback((cb) => side.fs[name](file, value, { flush }, cb));
      }
    }
    return seen;
  });
});
