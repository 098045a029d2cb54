// Builds node:fs with the additions of ioengine/fs: open without a callback, and the `direct` option.
'use strict';
const fs = require('node:fs');

function copyOf(source) {
  return Object.create(Object.getPrototypeOf(source), Object.getOwnPropertyDescriptors(source));
}

/** `open(path, { flags, mode, direct })` in node's terms. */
function plainArguments(args) {
  const options = args[1];
  if (options === null || typeof options !== 'object' || Array.isArray(options)) return args;
  if (!('direct' in options || 'flags' in options || 'mode' in options)) return args;
  return [args[0], options.flags ?? 'r', options.mode, ...args.slice(2)];
}

/** A `function`, since `new fs.createReadStream()` has to work as in node. */
function streamMaker(original, copy) {
  function create(path, options) {
    const given = typeof options === 'string' ? { encoding: options } : options;
    if (given?.fd !== undefined || given?.fs) return original(path, options);
    if (given !== undefined && (given === null || typeof given !== 'object')) return original(path, options);
    return original(path, { ...given, fs: copy });
  }
  for (const key of ['name', 'length'])
    Object.defineProperty(create, key, { value: original[key], configurable: true });
  return create;
}

/** A fresh copy, so that a broken subject changes neither node:fs nor another subject. */
function makeReference() {
  const copy = copyOf(fs);
  const promises = copyOf(fs.promises);
  promises.open = async function open(path, flags, mode) {
    return fs.promises.open(...plainArguments([path, flags, mode]));
  };
  Object.defineProperty(promises.open, 'length', { value: fs.promises.open.length, configurable: true });
  Object.defineProperty(copy, 'promises', { value: promises, enumerable: true, configurable: true });
  copy.open = function open(...args) {
    if (args.some((value) => typeof value === 'function') || args.length > 3) return fs.open(...plainArguments(args));
    return promises.open(...args);
  };
  Object.defineProperty(copy.open, 'length', { value: fs.open.length, configurable: true });
  // Streams consult the object they belong to when they open a file.
  for (const name of ['createReadStream', 'createWriteStream']) copy[name] = streamMaker(fs[name], copy);
  return copy;
}

module.exports = { makeReference };
