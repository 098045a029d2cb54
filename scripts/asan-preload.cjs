// Preloaded (node --require) into every process of an ASan run: wherever the release addon would be loaded, the
// sanitized one is. So nothing in src/ has to know about sanitizers.
'use strict';

const path = require('node:path');

const release = path.join('build', 'Release', 'ioengine.node');
const sanitized = path.join(__dirname, '..', 'build-asan', 'ioengine.node');
const load = process.dlopen;

process.dlopen = function dlopen(target, file, ...rest) {
  return load.call(this, target, file.endsWith(`${path.sep}${release}`) ? sanitized : file, ...rest);
};
