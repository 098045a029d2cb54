// Comments and documents: how wide their lines are, and the words they use. Red with a line that has to be scrolled,
// and with a word of the private dialect that the field has another one for (support/words.mjs), in a name too.
import path from 'node:path';
import { expect } from 'chai';
import { SyntaxKind } from 'typescript/unstable/ast';
import { inRoot, root } from '../../scripts/lib/paths.mjs';
import { codeOf } from './support/cpp.mjs';
import { closeCompiler, readModules, walk } from './support/modules.mjs';
import { wideLines } from './support/prose.mjs';
import { sources } from './support/sources.mjs';
import { foundAnywhere, foundAsNames } from './support/words.mjs';

const COLUMNS_MAX = 120;
/** They have each of the words. */
const LISTS = ['compat-tests/repo/support/words.mjs', 'compat-tests/repo/prose.test.mjs'];

const checked = sources.filter(({ name }) => !LISTS.includes(name));

after(closeCompiler);

describe('repo: prose', () => {
  it(`has at most ${COLUMNS_MAX} columns, tables aside`, () => {
    expect(checked.flatMap(({ name, text }) => wideLines(name, text, COLUMNS_MAX))).to.deep.equal([]);
  });

  it('uses the words of the field', () => {
    expect(checked.flatMap(({ name, text }) => foundAnywhere(name, text))).to.deep.equal([]);
  });

  it('uses them in the names of csrc/', () => {
    const found = checked
      .filter(({ name }) => name.startsWith('csrc/') && !name.endsWith('.md'))
      .flatMap(({ name, text }) => foundAsNames(name, codeOf(text).match(/\b[a-zA-Z_]\w*\b/g) ?? []));
    expect(found).to.deep.equal([]);
  });

  it('uses them in the names of src/', () => {
    const found = readModules(root, inRoot('src')).flatMap(({ name, syntax }) => {
      const names = [...walk(syntax)].filter(({ kind }) => kind === SyntaxKind.Identifier).map(({ text }) => text);
      return foundAsNames(path.join('src', name), names);
    });
    expect(found).to.deep.equal([]);
  });
});

describe('repo: the rules about prose turn red', () => {
  const wide = `${'word '.repeat(24)}word`;

  it('for a wide line in a comment or a document, and for nothing else', () => {
    expect(wideLines('a.ts', `// ${wide}\n`, 120)).to.deep.equal(['a.ts:1, 127 columns']);
    expect(wideLines('a.cc', `int a;\n/* ${wide} */\n`, 120)).to.deep.equal(['a.cc:2, 130 columns']);
    expect(wideLines('a.mjs', `call(); // ${wide}\n`, 120)).to.deep.equal(['a.mjs:1, 135 columns']);
    expect(wideLines('a.md', `\n- ${wide}\n`, 120)).to.deep.equal(['a.md:2, 126 columns']);
    expect(wideLines('a.md', `| ${wide} |\n\`\`\`\n${wide}\n\`\`\`\n`, 120)).to.deep.equal([]);
    expect(wideLines('a.ts', `call('${wide}');\n// https://${'x'.repeat(120)}\n`, 120)).to.deep.equal([]);
  });

  it('for each word', () => {
    const sentences = [
      'one trip to the pool',
      'the bell of a ring',
      'return kNotTaken;',
      'PATH_WHOLE',
      'a carrier with riders',
      'writing behind is an option',
      'they show only in passing',
      'node words its own errors',
      'as long as its luck lasts',
    ];
    for (const sentence of sentences) expect(foundAnywhere('a.md', sentence), sentence).to.not.deep.equal([]);
    expect(foundAnywhere('a.md', 'a round trip\nit writes behind the end')).to.deep.equal([]);
    const names = [
      'asked',
      'given',
      'subject',
      'Ending',
      'goOn',
      'byNode',
      'orByNode',
      'delegate',
      'plainPath',
      'again',
    ];
    for (const name of names) expect(foundAsNames('a.ts', [name]), name).to.have.length(1);
    expect(foundAsNames('a.ts', ['delegated', 'plainFunction', 'tryParsePath'])).to.deep.equal([]);
  });
});
