// Numbers that C++ and TypeScript both know: src/native/addon.ts has them beside the header that each comes from. The
// names of operations are generated (files.test.mjs looks at those). Red when one side has changed a number, the order
// of an enum or of shared memory, and when src/native/ gets a number that is compared with nothing.
import { expect } from 'chai';
import { fieldsOf, membersOf, numberOf } from './support/cpp.mjs';
import { sources, textOf } from './support/sources.mjs';

const ADDON = 'src/native/addon.ts';

/** A number of addon.ts, the header below csrc/ and its name there. */
const numbers = [
  ['UNSUPPORTED', 'jobs/result_codes.h', 'kUnsupported'],
  ['ACCEPTED', 'jobs/result_codes.h', 'kAcceptedBase'],
  ['FLAG_CALLBACK', 'backend/request.h', 'kFlagCallback'],
  ['FLAG_TRUSTED', 'backend/request.h', 'kFlagTrusted'],
  ['FLAG_KEEP_NUMBER', 'backend/request.h', 'kFlagKeepNumber'],
  ['READ_VECTORS_MAX', 'base/limits.h', 'vectors'],
  ['RESULTS_MAX', 'base/limits.h', 'results_per_delivery'],
  ['SCRATCH_BYTES', 'base/limits.h', 'whole_file_bytes'],
  ['PATH_CALLBACK', 'binding/path_argument.h', 'kPathCallback'],
  ['PATH_BIGINT', 'binding/path_argument.h', 'kPathBigInt'],
  ['PATH_NO_FOLLOW', 'binding/path_argument.h', 'kPathNoFollow'],
  ['COPY_RECURSIVE', 'jobs/copy_tree.h', 'kCopyRecursive'],
  ['COPY_VERBATIM_LINKS', 'jobs/copy_tree.h', 'kCopyVerbatimLinks'],
  ['COPY_ONLY_FOLDERS', 'jobs/copy_tree.h', 'kCopyOnlyFolders'],
  ['COPY_NEW_FOLDERS', 'jobs/copy_tree.h', 'kCopyNewFolders'],
  ['TREE_TYPES', 'jobs/read_tree.h', 'kTreeTypes'],
  ['TREE_LEVELS', 'jobs/read_tree.h', 'kTreeLevels'],
  ['TREE_FOLLOWS_LINKS', 'jobs/read_tree.h', 'kTreeFollowsLinks'],
  ['COPY_TIMES_AND_OWNER', 'jobs/copy_one_file.h', 'kCopyTimesAndOwner'],
  ['COPY_IGNORES_TIMES', 'jobs/copy_one_file.h', 'kCopyIgnoresTimes'],
  ['PATH_NUMBERS', 'binding/path_calls.h', 'kNumbers'],
];

/** A limit that other files of src/ know as well; each says so in a comment. */
const limits = [
  ['src/functions/write-small-file.ts', 'SMALL_BYTES_MAX', 'whole_write_bytes'],
  ['src/streams/read-ahead.ts', 'AT_ONCE_MAX', 'inline_read_bytes'],
];

/** An enum of addon.ts, the header and the enum there. */
const enums = [['PathChange', 'jobs/path_syscalls.h', 'PathSyscall']];

/** Numbers that say where something is in memory that both sides have: compared with the struct. */
const places = ['FD', 'OFFSET', 'LENGTH', 'FLAGS', 'ANSWER', 'POSITION', 'TRANSFER_CALL_BYTES', 'WriteBufferWord'];

const native = (header) => textOf(`csrc/${header}`);
const addon = () => textOf(ADDON);
/** `kMakeDirectories` is makeDirectories on the other side. */
const inTypescript = (name) => name[1].toLowerCase() + name.slice(2);

/** Constants with a number, and enums, at the top of a TypeScript file. */
const known = (text) =>
  [...text.matchAll(/^(?:export )?(?:const|enum) (\w+)(?: = [-\d]| \{)/gm)].map(([, name]) => name);

const BYTES = { double: 8, int64_t: 8, int32_t: 4, uint32_t: 4 };

/** The first byte of each field of a struct, as the compiler places numbers, and its size. */
function layoutOf(text, name) {
  const [, body] = text.match(new RegExp(`\\bstruct ${name} \\{([^}]*)\\}`));
  const types = fieldsOf(text, name).map((field) => body.match(new RegExp(`(\\w+) ${field};`))[1]);
  let end = 0;
  const offsets = {};
  for (const [index, field] of fieldsOf(text, name).entries()) {
    const size = BYTES[types[index]];
    offsets[field] = Math.ceil(end / size) * size;
    end = offsets[field] + size;
  }
  const widest = Math.max(...types.map((type) => BYTES[type]));
  return { offsets, bytes: Math.ceil(end / widest) * widest };
}

describe('repo: numbers on both sides of the border', () => {
  for (const [name, header, nativeName] of numbers) {
    it(`${name} is ${nativeName} of ${header}`, () => {
      expect(numberOf(addon(), name)).to.be.a('number');
      expect(numberOf(addon(), name)).to.equal(numberOf(native(header), nativeName));
    });
  }

  for (const [file, name, limit] of limits) {
    it(`${name} of ${file} is limits::${limit}`, () => {
      expect(numberOf(textOf(file), name)).to.be.a('number');
      expect(numberOf(textOf(file), name)).to.equal(numberOf(native('base/limits.h'), limit));
    });
  }

  it('no other file of src/ names a limit of csrc/base/limits.h', () => {
    const compared = [...limits.map(([file, , limit]) => `${file} ${limit}`), `${ADDON} whole_file_bytes`];
    const found = sources
      .filter(({ name }) => name.startsWith('src/') && !name.endsWith('.md'))
      .flatMap(({ name, text }) => [...text.matchAll(/limits::(\w+)/g)].map(([, limit]) => `${name} ${limit}`));
    expect(found.filter((one) => !compared.includes(one))).to.deep.equal([]);
  });

  for (const [name, header, nativeName] of enums) {
    it(`${name} has the order of ${header}`, () => {
      expect(membersOf(addon(), name)).to.not.equal(undefined);
      expect(membersOf(addon(), name)).to.deep.equal(membersOf(native(header), nativeName).map(inTypescript));
    });
  }

  it('WRITE_STEPS has the steps of jobs/write_file.h', () => {
    const [, list] = addon().match(/WRITE_STEPS = \[(.*)\] as const/);
    const steps = list.split(', ').map((step) => step.replaceAll("'", ''));
    const named = membersOf(native('jobs/write_file.h'), 'Step').map(inTypescript);
    expect(named).to.deep.equal(['none', 'write', 'sync', 'close']);
    expect(steps).to.deep.equal(['undefined', 'write', 'fsync', 'close']);
  });

  it('the kinds of filesystem and their types are those of jobs/filesystem_kind', () => {
    const kinds = textOf('src/engine/filesystem-kinds.ts');
    const nativeText = native('jobs/filesystem_kind.cc');
    const quoted = (text) => [...text.matchAll(/['"]([\w-]+)['"]/g)].map(([, name]) => name);
    const order = membersOf(native('jobs/filesystem_kind.h'), 'FilesystemKind').map(inTypescript);
    expect(quoted(kinds.match(/KINDS[^=]*= (\[.*?\]);/s)[1])).to.deep.equal(order);
    const [, types] = kinds.match(/const TYPES[^=]*= \{\n(.*?)\n\};/s);
    const ofKind = Object.fromEntries(types.split(/^ {2}(?=\w+:)/m).map((part) => part.trim().split(/: (.*)/s)));
    for (const kind of order.filter((one) => one !== 'remote')) {
      const ours = ofKind[kind];
      const name = `k${kind[0].toUpperCase()}${kind.slice(1)}`;
      const theirs = nativeText.match(new RegExp(`${name}\\[\\] = \\{(.*?)\\};`, 's'))[1];
      expect(quoted(ours), kind).to.deep.equal(quoted(theirs));
      expect(quoted(ours), kind).to.not.deep.equal([]);
    }
  });

  it('BACKEND_INDEX has the order of backend/operations.h', () => {
    const [, list] = addon().match(/BACKEND_INDEX = \{(.*)\} as const/);
    const named = membersOf(native('backend/operations.h'), 'BackendType').map(inTypescript);
    const expected = named.filter((name) => name !== 'mock').map((name, index) => ` ${name}: ${index}`);
    expect(list.trimEnd().split(',')).to.deep.equal([' auto: -1', ...expected]);
  });

  it('the words of TransferCall are where the struct has them', () => {
    const { offsets, bytes } = layoutOf(native('binding/environment.h'), 'TransferCall');
    const place = (name) => numberOf(addon(), name);
    const words = { fd: place('FD'), offset: place('OFFSET'), length: place('LENGTH'), flags: place('FLAGS') };
    for (const [field, word] of Object.entries(words)) expect(word * 4, field).to.equal(offsets[field]);
    expect(place('ANSWER') * 4).to.equal(offsets.answer);
    expect(place('POSITION') * 8).to.equal(offsets.position);
    expect(place('TRANSFER_CALL_BYTES')).to.equal(bytes);
  });

  it('the words of WriteBufferState are where the struct has them', () => {
    const fields = fieldsOf(native('binding/write_buffers.h'), 'WriteBufferState');
    expect(membersOf(addon(), 'WriteBufferWord')).to.deep.equal([...fields, 'count']);
  });

  it('no number of src/native/ is compared with nothing', () => {
    const compared = [...numbers, ...enums].map(([name]) => name).concat(places);
    expect(known(addon()).filter((name) => !compared.includes(name))).to.deep.equal([]);
  });
});

describe('repo: the rule about numbers turns red', () => {
  const header = `
constexpr uint32_t kOther = 1u << 3;  // kFlag = 5
enum Flag : int32_t { kFlag = kOther * 2, kLast };
enum class Kind : uint8_t {
  kFirst,   // one, or two
  kSecond,
};
constexpr int32_t kBase =
    -4097;
struct Call {
  int32_t a;
  double b;  // after four bytes of nothing
  uint32_t c;
};
`;

  it('because it reads what a header has', () => {
    const values = ['kOther', 'kFlag', 'kBase', 'kAbsent'].map((name) => numberOf(header, name));
    expect(values).to.deep.equal([8, 16, -4097, undefined]);
    expect(membersOf(header, 'Kind')).to.deep.equal(['kFirst', 'kSecond']);
    expect(layoutOf(header, 'Call')).to.deep.equal({ offsets: { a: 0, b: 8, c: 16 }, bytes: 24 });
  });

  it('for a number that is compared with nothing', () => {
    const text = "const A = 1;\nexport const B = -2;\nexport enum C {\n  a,\n}\nconst D = 'x';\nlet e = 1;\n";
    expect(known(text)).to.deep.equal(['A', 'B', 'C']);
  });
});
