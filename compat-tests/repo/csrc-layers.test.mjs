// The layers of csrc/: includes point down only and never in a circle (csrc/README.md). Red with an #include that
// reaches up, a circle of headers, a function in a header that nothing else uses, and with kernel or N-API headers
// outside of the folders that may know them.
import path from 'node:path';
import { expect } from 'chai';
import { includesOf, unusedDeclarations } from './support/cpp.mjs';
import { circlesOf, csrcFolders, foldersInTable, upwardEdges } from './support/layers.mjs';
import { sources, textOf } from './support/sources.mjs';

const nativeFiles = sources
  .filter(({ name }) => name.startsWith('csrc/') && !name.endsWith('.md'))
  .map(({ name, text }) => ({ name: path.relative('csrc', name), includes: includesOf(text) }));

/** Includes of our own files, each named from csrc/. */
const edgesOf = (files) => {
  const names = new Set(files.map(({ name }) => name));
  return files.flatMap(({ name, includes }) =>
    includes.filter((header) => names.has(header)).map((header) => ({ from: name, to: header })),
  );
};

/** addon.cc, faults/ and test/ may use everything. */
const isBelowTheTop = ({ from }) => csrcFolders.includes(from.split('/')[0]);
const topDown = [...csrcFolders].reverse();
const upward = (files) => upwardEdges(edgesOf(files).filter(isBelowTheTop), topDown);

/** Rows "file includes header" of includes that a rule forbids. */
const offenders = (isForbidden) =>
  nativeFiles.flatMap(({ name, includes }) =>
    includes.filter((header) => isForbidden(name, header)).map((header) => `${name} includes ${header}`),
  );

describe('repo: layers of csrc/', () => {
  it('has no function or constant in a header that no other file uses', () => {
    const files = sources.filter(({ name }) => name.startsWith('csrc/') && /\.(cc|h)$/.test(name));
    const typescript = sources.filter(({ name }) => name.startsWith('src/'));
    const isLimitThere = (name) => typescript.some(({ text }) => text.includes(`limits::${name}`));
    const found = unusedDeclarations(files, isLimitThere).filter((row) => !row.startsWith('csrc/test/'));
    expect(found).to.deep.equal([]);
  });

  it('keeps N-API and libuv in csrc/binding, csrc/faults/addon and csrc/addon.cc', () => {
    const isForbidden = (name, header) =>
      /^(napi(-inl)?|node_api|js_native_api|node|uv|v8)\.h$/.test(header) &&
      !/^(binding|faults\/addon)\//.test(name) &&
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

  it('has the folders of the list, in the README too', () => {
    const folders = new Set(nativeFiles.map(({ name }) => name).filter((name) => name.includes('/')));
    const found = [...new Set([...folders].map((name) => name.split('/')[0]))];
    expect(found.sort()).to.deep.equal([...csrcFolders, 'faults', 'test'].sort());
    expect(foldersInTable(textOf('csrc/README.md'))).to.deep.equal([...csrcFolders, 'faults', 'test']);
  });

  it('has no include that points up', () => {
    expect(upward(nativeFiles)).to.deep.equal([]);
  });

  it('has no circle of includes', () => {
    expect(circlesOf(edgesOf(nativeFiles))).to.deep.equal([]);
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

// Each rule on files that break it.
describe('repo: the rules of csrc/ turn red', () => {
  const file = (name, text) => ({ name, includes: includesOf(text) });

  it('for an include that points up', () => {
    const up = file('jobs/a.h', '#include <vector>\n#include "backend/b.h"\n');
    const down = file('backend/b.h', '  #  include "jobs/a.h"\n');
    expect(upward([up, down])).to.deep.equal(['jobs/a.h -> backend/b.h']);
    expect(upward([file('test/c.cc', '#include "backend/b.h"'), down])).to.deep.equal([]);
  });

  it('for a function or a constant that nothing else uses', () => {
    const header = `
int32_t used(int a);
std::string unused(const char* text,
                   int b);
constexpr int kUsed = 1;
constexpr int kHelper = 2;
constexpr int kUnused = kHelper;
`;
    const files = [
      { name: 'jobs/a.h', text: header },
      { name: 'jobs/a.cc', text: 'std::string unused(const char* text, int b) { return text; }' },
      { name: 'jobs/b.cc', text: 'int c = used(kUsed);  // unused' },
    ];
    expect(unusedDeclarations(files)).to.deep.equal(['jobs/a.h: unused', 'jobs/a.h: kUnused']);
  });

  it('for headers that include each other', () => {
    const files = [
      file('jobs/a.h', '#include "jobs/b.h"'),
      file('jobs/b.h', '#include "jobs/c.h"'),
      file('jobs/c.h', '#include "jobs/a.h"'),
      file('jobs/d.h', '#include "jobs/a.h"'),
    ];
    expect(circlesOf(edgesOf(files))).to.deep.equal([['jobs/a.h', 'jobs/b.h', 'jobs/c.h']]);
  });
});
