// The layers of csrc/: includes point down only (docs/architecture.md). Broken by an #include that reaches up, or by
// kernel and N-API headers outside of their rooms. Those of src/: src-layers.test.mjs.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { filesBelow, inRoot } from '../../scripts/lib/paths.mjs';
import { skip } from '../helpers/backend.mjs';

const csrc = inRoot('csrc');

const nativeFiles = filesBelow(csrc, ['.cc', '.h', '.def']).map((file) => ({
  name: path.relative(csrc, file),
  includes: [...readFileSync(file, 'utf8').matchAll(/^\s*#\s*include\s*[<"]([^>"]+)[>"]/gm)].map((match) => match[1]),
}));

/** Rows "file includes header" of includes that a rule forbids. */
const offenders = (isForbidden) =>
  nativeFiles.flatMap(({ name, includes }) =>
    includes.filter((header) => isForbidden(name, header)).map((header) => `${name} includes ${header}`),
  );

// Higher layers may use lower ones. base/ (checks, clocks) is below everything; memory/ and jobs/ know no request.
const layers = ['base', 'memory', 'jobs', 'backend', 'scheduler', 'binding'];
const layerOf = (name) => layers.indexOf(name.split('/')[0]);

describe('repo: layers of csrc/', () => {
  before(function () {
    if (nativeFiles.length === 0) skip(this, 'because csrc/ has no files');
  });

  it('keeps N-API and libuv in csrc/binding and csrc/addon.cc', () => {
    const isForbidden = (name, header) =>
      /^(napi(-inl)?|node_api|js_native_api|node|uv|v8)\.h$/.test(header) &&
      !name.startsWith('binding/') &&
      name !== 'addon.cc';
    expect(offenders(isForbidden)).to.deep.equal([]);
  });

  it('keeps liburing in csrc/backend/uring*', () => {
    const isForbidden = (name, header) => header.startsWith('liburing') && !name.startsWith('backend/uring');
    expect(offenders(isForbidden)).to.deep.equal([]);
  });

  it('keeps the AIO kernel ABI in csrc/backend/aio*', () => {
    const isForbidden = (name, header) => header === 'linux/aio_abi.h' && !name.startsWith('backend/aio');
    expect(offenders(isForbidden)).to.deep.equal([]);
  });

  it('has no include that points up', () => {
    const isForbidden = (name, header) => {
      const from = layerOf(name);
      const to = layerOf(header);
      return from >= 0 && to > from;
    };
    expect(offenders(isForbidden)).to.deep.equal([]);
  });

  it('keeps the backends apart from each other', () => {
    const rooms = ['uring', 'aio', 'threads', 'mock'];
    const roomOf = (name) => rooms.find((room) => name.startsWith(`backend/${room}/`));
    const isForbidden = (name, header) =>
      roomOf(name) !== undefined &&
      roomOf(header) !== undefined &&
      roomOf(name) !== roomOf(header) &&
      // Every backend may hand plain syscalls to the code that the threads lane runs them with.
      roomOf(header) !== 'threads';
    expect(offenders(isForbidden)).to.deep.equal([]);
  });

  it('names project headers from csrc/, never with ../', () => {
    expect(offenders((_name, header) => header.includes('..'))).to.deep.equal([]);
  });
});
