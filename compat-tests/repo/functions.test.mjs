// How long a function may be, in C++ and in TypeScript. Red with one that has grown past that.
import { expect } from 'chai';
import { inRoot, root } from '../../scripts/lib/paths.mjs';
import { functionsOf, longFunctions as longNativeFunctions } from './support/cpp.mjs';
import { closeCompiler, longFunctions, readModules } from './support/modules.mjs';
import { sources } from './support/sources.mjs';

const LINES_MAX = 70;

after(closeCompiler);

describe('repo: functions', () => {
  it(`have at most ${LINES_MAX} lines in csrc/`, () => {
    const found = sources
      .filter(({ name }) => name.startsWith('csrc/') && /\.(cc|h)$/.test(name))
      .flatMap(({ name, text }) => longNativeFunctions(name, text, LINES_MAX));
    expect(found).to.deep.equal([]);
  });

  it(`have at most ${LINES_MAX} lines in src/`, () => {
    expect(longFunctions(readModules(root, inRoot('src')), LINES_MAX)).to.deep.equal([]);
  });
});

describe('repo: the rule about functions turns red', () => {
  const native = `
namespace ioengine {
namespace {

struct Table {
  int rows[2] = {1, 2};
};

enum class Kind { kOne };

}  // namespace

// A brace { in a comment, and one in a literal.
template <typename T>
Request* find(const T& key,
              const char* text = "{") {
  if (key) {
    return nullptr;
  }
  return [] { return nullptr; }();
}

class Engine {
 public:
  int count() const {
    return 1'000;
  }
};

}  // namespace ioengine
`;

  it('for C++, of which it finds the functions and nothing else', () => {
    const found = functionsOf(native).map(({ head, first, last }) => [head.split('(')[0].trim(), first, last]);
    expect(found).to.deep.equal([
      ['template <typename T>\nRequest* find', 14, 21],
      ['int count', 25, 27],
    ]);
    expect(longNativeFunctions('a.cc', native, 7)).to.deep.equal(['a.cc:14, 8 lines']);
    expect(longNativeFunctions('a.cc', native, 8)).to.deep.equal([]);
  });

  it('for TypeScript: those of our own that are longer than a shorter rule allows', () => {
    const found = longFunctions(readModules(root, inRoot('src')), 40);
    expect(found).to.not.deep.equal([]);
    for (const row of found) expect(row).to.match(/^[\w/-]+\.ts:\d+, (4[1-9]|[5-7]\d) lines$/);
  });
});
