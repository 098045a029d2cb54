// What comments and documents name is there: files and folders by their paths, hazards (H1) in docs/hazards.md,
// measured cases (P1) in bench/README.md. Red when a file has been moved and a comment still names its old place, and
// with a code that nobody can look up.
import { expect } from 'chai';
import { deadPaths, unknownCodes } from './support/prose.mjs';
import { repositoryFiles, sources, textOf } from './support/sources.mjs';

/** They name what is not there on purpose. */
const EXAMPLES = ['compat-tests/repo/references.test.mjs', 'compat-tests/repo/support/'];
const checked = sources.filter(({ name }) => !EXAMPLES.some((example) => name.startsWith(example)));

/** Headers of others, files of the kernel and of node, what the build and the benchmarks write. */
const ELSEWHERE = [
  /^(napi|node_api|liburing)\.h$/,
  /^(include\/uapi|fs|mm|block|io_uring|kernel)\//,
  /^(dist|build|build-asan)\//,
  /^(fs|promises)\.mjs$/,
  /^bench\/\.\w+$/,
  /^_test\.cc$/,
  /\bNAME\b/,
];
const isElsewhere = (path) => ELSEWHERE.some((pattern) => pattern.test(path));

/** The first column of each table of a file: H1 in `| H1 | …`. */
const codesIn = (name, letter) =>
  new Set([...textOf(name).matchAll(new RegExp(`^\\|.*?\\b(${letter}\\d{1,2})\\b`, 'gm'))].map(([, code]) => code));

const hazards = codesIn('docs/hazards.md', 'H');
const cases = codesIn('bench/README.md', 'P');

describe('repo: references', () => {
  it('to files and folders lead to one', () => {
    const found = checked.flatMap(({ name, text }) => deadPaths(name, text, repositoryFiles, isElsewhere));
    expect(found).to.deep.equal([]);
  });

  it('to hazards are explained in docs/hazards.md', () => {
    expect(hazards.size).to.be.above(0);
    expect(checked.flatMap(({ name, text }) => unknownCodes(name, text, 'H', hazards))).to.deep.equal([]);
  });

  it('to measured cases are explained in bench/README.md', () => {
    expect(cases.size).to.be.above(0);
    expect(checked.flatMap(({ name, text }) => unknownCodes(name, text, 'P', cases))).to.deep.equal([]);
  });

  it('are there for each hazard that a test is named after', () => {
    const codes = repositoryFiles
      .filter((name) => /^(compat-tests|csrc\/test)\/.*\/h\d\d/.test(`${name.replace(/\/(h\d\d)/, '/x/$1')}`))
      .flatMap((name) => [...name.matchAll(/(?<=[/-])h(\d\d)(?=[-_])/g)].map(([, digits]) => `H${Number(digits)}`));
    expect(codes).to.not.deep.equal([]);
    expect(codes.filter((code) => !hazards.has(code))).to.deep.equal([]);
  });
});

describe('repo: the rules about references turn red', () => {
  const files = ['src/engine/stats.ts', 'csrc/scheduler/slots.h', 'docs/decisions/0004-staging.md', 'README.md'];
  const dead = (name, text) => deadPaths(name, text, files, isElsewhere);

  it('for a path that is not there, from wherever it is named', () => {
    expect(dead('src/a.ts', '// csrc/scheduler/limits.h\n')).to.deep.equal([
      'src/a.ts:1 names csrc/scheduler/limits.h',
    ]);
    expect(dead('src/a.ts', '// see `engine/state.ts`, or gone.mjs\n')).to.have.length(2);
    expect(dead('docs/a.md', 'in [that](../src/gone.ts) and src/engines')).to.have.length(2);
    expect(dead('docs/a.md', '[why](decisions/0005-few-files.md)')).to.have.length(1);
    expect(dead('csrc/a.cc', '#include "csrc/gone.h"\n')).to.deep.equal([]);
  });

  it('and for none that is', () => {
    const good = [
      'src/engine/stats.ts',
      'scheduler/slots.h',
      'slots.h',
      'csrc/scheduler',
      'engine/stats.ts',
      'docs/decisions/0004',
    ];
    for (const path of good) expect(dead('README.md', path), path).to.deep.equal([]);
    expect(dead('docs/a.md', '[why](decisions/0004-staging.md) [too](../README.md)')).to.deep.equal([]);
    expect(dead('src/a.ts', '// fs/ext4/ext4.h of the kernel\n')).to.deep.equal([]);
  });

  it('for a code that nobody can look up', () => {
    const known = new Set(['H1']);
    expect(unknownCodes('a.cc', 'int a;  // H1, H99\n', 'H', known)).to.deep.equal(['a.cc:1 names H99']);
    expect(unknownCodes('a.cc', 'const char* H99 = "H98";\n', 'H', known)).to.deep.equal([]);
  });
});
