// The same as declared.mts, with require.
import engine = require('ioengine');
import fs = require('ioengine/fs');
import fsp = require('ioengine/fs/promises');

export const { backend, probe, stats, alignedBuffer } = engine;
export const { createReadStream, createWriteStream, open, promises } = fs;
export const openHandle = fsp.open;
export const modules = { fs, fsp };
export const wrapped = (...args: Parameters<typeof createReadStream>) => createReadStream(...args);
export const openOptions = (...[, options]: Parameters<typeof openHandle>) => options;
