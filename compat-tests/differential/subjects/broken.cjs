// A deliberately broken copy of node:fs. IOENGINE_TEST_FAULT names the fault; harness.test.mjs expects the suite to
// turn red for every one of them. Each fault is small and rare on purpose: one wrong byte, one lost callback.
'use strict';
const fs = require('node:fs');
const { makeReference } = require('./make-reference.cjs');

const subject = makeReference();
const { promises } = subject;

/** Counts calls and is true for the n-th, so that a fault hits in the middle of work. */
function nth(n) {
  let calls = 0;
  return () => ++calls === n;
}

function replace(object, name, replacement) {
  Object.defineProperty(replacement, 'length', { value: object[name].length, configurable: true });
  Object.defineProperty(replacement, 'name', { value: object[name].name, configurable: true });
  object[name] = replacement;
}

/** Changes the last argument, the callback, of every call of a function. */
function wrapCallback(name, wrap) {
  const original = subject[name];
  replace(subject, name, (...args) => {
    const callback = args.at(-1);
    if (typeof callback !== 'function') return original(...args);
    return original(...args.slice(0, -1), wrap(callback, args));
  });
}

/** Changes each handle that promises.open gives. */
function wrapHandles(change) {
  const original = promises.open;
  replace(promises, 'open', async (...args) => {
    const handle = await original(...args);
    change(handle);
    return handle;
  });
}

const flip = (view, count) => {
  if (count > 0 && view?.byteLength > 0) new Uint8Array(view.buffer, view.byteOffset, view.byteLength)[count >> 1] ^= 1;
};

const FAULTS = {
  'one wrong byte in fs.read': () => {
    const hit = nth(5);
    wrapCallback(
      'read',
      (callback) =>
        function (...args) {
          const [, count, buffer] = args;
          if (count > 0 && hit()) flip(buffer, count);
          return Reflect.apply(callback, this, args);
        },
    );
  },
  'one wrong byte in handle.read': () => {
    const hit = nth(4);
    wrapHandles((handle) => {
      const read = handle.read;
      handle.read = async function (...args) {
        const result = await read.apply(this, args);
        if (result.bytesRead > 0 && hit()) flip(result.buffer, result.bytesRead);
        return result;
      };
      Object.defineProperty(handle, 'read', { enumerable: false });
    });
  },
  'one write too short on disk': () => {
    const hit = nth(4);
    const write = subject.write;
    replace(subject, 'write', (fd, data, ...rest) => {
      if (ArrayBuffer.isView(data) && data.byteLength > 1 && hit()) {
        const callback = rest.at(-1);
        return write(fd, Buffer.from('!'), 0, 1, null, (error) => callback(error, data.byteLength, data));
      }
      return write(fd, data, ...rest);
    });
  },
  'a lost callback': () => {
    const hit = nth(6);
    wrapCallback(
      'read',
      (callback) =>
        (...args) =>
          hit() ? undefined : callback(...args),
    );
  },
  'a callback called twice': () => {
    const hit = nth(6);
    wrapCallback('read', (callback) => (...args) => {
      if (hit()) setImmediate(callback, ...args);
      callback(...args);
    });
  },
  'a callback inside the call': () => {
    wrapCallback('read', (callback) => callback);
    const original = subject.read;
    replace(subject, 'read', (...args) => {
      if (args[0] === 54_321)
        return args.at(-1)(
          Object.assign(new Error('EBADF: bad file descriptor, read'), { errno: -9, code: 'EBADF', syscall: 'read' }),
        );
      return original(...args);
    });
  },
  'a wrong error code': () => {
    wrapCallback('open', (callback) => (error, fd) => {
      if (error?.code === 'ENOENT') error.code = 'EACCES';
      if (error) callback(error);
      else callback(error, fd);
    });
  },
  'keys of an error in another order': () => {
    wrapCallback('open', (callback) => (error, fd) => {
      if (!error) return callback(error, fd);
      const { errno, code, syscall, path } = error;
      const other = new Error(error.message);
      other.stack = error.stack;
      return callback(Object.assign(other, { code, errno, syscall }, path === undefined ? {} : { path }));
    });
  },
  'a throw instead of a rejection': () => {
    const readFile = promises.readFile;
    replace(promises, 'readFile', (path, options) => {
      if (typeof path === 'number') throw new TypeError('not a path');
      return readFile(path, options);
    });
  },
  'the file position is not moved': () => {
    const read = subject.read;
    const hit = nth(3);
    replace(subject, 'read', (fd, buffer, offset, length, position, ...rest) => {
      const stay = position === null && rest.length === 1 && hit();
      return read(fd, buffer, offset, length, stay ? 0 : position, ...rest);
    });
  },
  'a descriptor that is never closed': () => {
    const hit = nth(2);
    const readFile = promises.readFile;
    replace(promises, 'readFile', async (path, options) => {
      if (hit() && typeof path === 'string') fs.open(path, 'r', () => {});
      return readFile(path, options);
    });
  },
  'append that forgets to append': () => {
    const appendFile = promises.appendFile;
    const hit = nth(4);
    replace(promises, 'appendFile', (path, data, options) =>
      hit() ? promises.writeFile(path, data, options) : appendFile(path, data, options),
    );
  },
  'a stream that loses one chunk': () => {
    const createReadStream = subject.createReadStream;
    replace(subject, 'createReadStream', (path, options) => {
      const stream = createReadStream(path, options);
      const push = stream.push;
      let chunks = 0;
      stream.push = function (chunk, ...rest) {
        if (chunk && ++chunks === 3) return this._read(65_536) ?? true;
        return push.call(this, chunk, ...rest);
      };
      return stream;
    });
  },
  'a stream that closes before it ends': () => {
    const createReadStream = subject.createReadStream;
    replace(subject, 'createReadStream', (path, options) => {
      const stream = createReadStream(path, options);
      const emit = stream.emit;
      let held;
      stream.emit = function (name, ...args) {
        if (name === 'end') return emit.call(this, 'close', ...args);
        if (name === 'close' && !held) {
          held = true;
          return emit.call(this, 'end', ...args);
        }
        return emit.call(this, name, ...args);
      };
      return stream;
    });
  },
  'a wrong length in bytesWritten': () => {
    wrapHandles((handle) => {
      const write = handle.write;
      Object.defineProperty(handle, 'write', {
        configurable: true,
        writable: true,
        value: async function (...args) {
          const result = await write.apply(this, args);
          if (result.bytesWritten > 5) result.bytesWritten--;
          return result;
        },
      });
    });
  },
  'a listing that loses one name': () => {
    const hit = nth(2);
    const readdir = promises.readdir;
    replace(promises, 'readdir', async (...args) => {
      const names = await readdir(...args);
      return names.length > 0 && hit() ? names.slice(1) : names;
    });
  },
  'a removal that spares one file': () => {
    const hit = nth(2);
    const rm = promises.rm;
    replace(promises, 'rm', async (path, options) => {
      if (fs.existsSync(path) && hit()) return undefined;
      return rm(path, options);
    });
  },
  'async context lost': () => {
    const { AsyncResource } = require('node:async_hooks');
    const root = new AsyncResource('root');
    wrapCallback(
      'read',
      (callback) =>
        (...args) =>
          root.runInAsyncScope(callback, undefined, ...args),
    );
  },
  'a missing name': () => {
    delete subject.lutimes;
  },
  'a wrong arity': () => {
    const writev = subject.writev;
    replace(subject, 'writev', (...args) => writev(...args));
    Object.defineProperty(subject.writev, 'length', { value: 1 });
  },
};

const fault = process.env.IOENGINE_TEST_FAULT;
if (!(fault in FAULTS)) throw new Error(`IOENGINE_TEST_FAULT must be one of: ${Object.keys(FAULTS).join(', ')}`);
FAULTS[fault]();
module.exports = subject;
