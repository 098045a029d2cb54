// Preloaded into every client, with --expose-internals: counts what goes through node's own file binding, below node:fs
// and beside the engine. In plain node that is all there is to do; with the engine it is what did not go to it. Nothing
// here knows ioengine or asks it.
const { internalBinding } = require('internal/test/binding');

const binding = internalBinding('fs');

/** Binding functions whose result is a number of bytes, and those whose result or argument is the content itself. */
const COUNTING = ['read', 'readBuffers', 'writeBuffer', 'writeBuffers', 'writeString'];
const CONTENT = {
  readFileUtf8: (_args, result) => Buffer.byteLength(result),
  writeFileUtf8: (args) => sizeOf(args[1]),
};
/** What the engine serves besides bytes. A handle's own close is no function of the binding. */
const OTHERS = ['open', 'openFileHandle', 'close', 'stat', 'lstat', 'fstat', 'access', 'fsync', 'fdatasync'];

const counts = { asynchronous: { bytes: 0, calls: {} }, synchronous: { bytes: 0, calls: {} } };

const sizeOf = (data) => (typeof data === 'string' ? Buffer.byteLength(data) : data.byteLength);
const isRequest = (value) => value === binding.kUsePromises || typeof value?.oncomplete === 'function';

function wrap(name, bytesOf) {
  const original = binding[name];
  if (original === undefined) return; // not in this version of Node
  const apply = (_target, thisArg, args) => {
    const request = args.find(isRequest);
    const side = request === undefined ? counts.synchronous : counts.asynchronous;
    side.calls[name] = (side.calls[name] ?? 0) + 1;
    const settle = (result) => {
      side.bytes += bytesOf(args, result) ?? 0;
    };
    if (request !== undefined && request !== binding.kUsePromises) {
      const complete = request.oncomplete;
      request.oncomplete = function (error, ...values) {
        if (!error) settle(values[0]);
        return Reflect.apply(complete, this, [error, ...values]);
      };
    }
    const result = Reflect.apply(original, thisArg, args);
    if (request === undefined) settle(result);
    else if (request === binding.kUsePromises) result.then(settle, () => {});
    return result;
  };
  // Looks native, as the original does: it counts, it does not simulate a file system.
  binding[name] = new Proxy(original, { apply });
}

for (const name of COUNTING) wrap(name, (_args, result) => result);
for (const [name, bytesOf] of Object.entries(CONTENT)) wrap(name, bytesOf);
for (const name of OTHERS) wrap(name, () => 0);

/**
 * Node 26 reads and writes whole files in jobs of its own. The one that writes does not tell how much: it counts as a
 * call, and its bytes are missing from what there was to do.
 */
function wrapJob(name, bytesOf) {
  const { run } = binding[name]?.prototype ?? {};
  if (run === undefined) return;
  binding[name].prototype.run = function counted(...args) {
    const side = counts.asynchronous;
    side.calls[name] = (side.calls[name] ?? 0) + 1;
    const done = this.ondone;
    this.ondone = function (error, ...values) {
      if (!error) side.bytes += bytesOf(values[0]);
      return Reflect.apply(done, this, [error, ...values]);
    };
    return Reflect.apply(run, this, args);
  };
}

wrapJob('ReadFileJob', (content) => content?.byteLength ?? 0);
wrapJob('WriteFileJob', () => 0);

globalThis[Symbol.for('clients.counts')] = () => structuredClone(counts);
