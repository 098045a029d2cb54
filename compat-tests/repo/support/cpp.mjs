// What the rules need to know of a C++ file, without a compiler: its comments, its includes, its functions, its
// numbers. The files are as clang-format leaves them.

/** Comments, string and character literals, raw strings; whatever is none of these is code. */
const TOKEN = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|R"([^()\\ ]*)\([\s\S]*?\)\1"|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])+'/g;

const isComment = (token) => token.startsWith('//') || token.startsWith('/*');
const blank = (text) => text.replace(/[^\n]/g, ' ');
/** In 1'000'000 the quotes are no literals. */
const withoutSeparators = (text) => text.replace(/(?<=\d)'(?=\d)/g, ' ');

/** The text without comments and the insides of literals: every character and line stays at its place. */
export const codeOf = (text) => withoutSeparators(text).replace(TOKEN, blank);

/** The text of the comments alone, at their places. */
export function commentsOf(text) {
  let from = 0;
  let comments = '';
  for (const match of withoutSeparators(text).matchAll(TOKEN)) {
    const [token] = match;
    comments += blank(text.slice(from, match.index)) + (isComment(token) ? token : blank(token));
    from = match.index + token.length;
  }
  return comments + blank(text.slice(from));
}

export const includesOf = (text) => [...text.matchAll(/^\s*#\s*include\s*[<"]([^>"]+)[>"]/gm)].map((match) => match[1]);

const OPENS_NO_FUNCTION = /^(?:template[^{]*>\s*)?(?:namespace|class|struct|enum|union|extern)\b|=\s*$/;

/** What stands before a brace, back to the end of the statement or block before it. */
const headOf = (code, brace) => {
  const before = code.slice(0, brace).replace(/^\s*#.*$|\b(public|private|protected):/gm, blank);
  const start = Math.max(before.lastIndexOf(';'), before.lastIndexOf('}'), before.lastIndexOf('{')) + 1;
  return { text: before.slice(start).trim(), start: start + before.slice(start).search(/\S|$/) };
};

/**
 * The functions with a body, at the top, in a namespace or in a class; what is inside one belongs to it.
 *
 * @returns {{ head: string, first: number, last: number }[]} with the numbers of their lines
 */
export function functionsOf(text) {
  const code = codeOf(text);
  const lineOf = (offset) => code.slice(0, offset).split('\n').length;
  const found = [];
  const blocks = [];
  for (const { 0: brace, index } of code.matchAll(/[{}]/g)) {
    if (brace === '}') {
      const block = blocks.pop();
      if (block?.isFunction) found.push({ head: block.head, first: lineOf(block.start), last: lineOf(index) });
      continue;
    }
    const { text: head, start } = headOf(code, index);
    const isInside = blocks.some((block) => block.isFunction);
    blocks.push({ head, start, isFunction: !isInside && head.includes('(') && !OPENS_NO_FUNCTION.test(head) });
  }
  return found;
}

/** Functions with more lines than that, as "file:line, n lines". */
export const longFunctions = (name, text, linesMax) =>
  functionsOf(text)
    .filter(({ first, last }) => last - first + 1 > linesMax)
    .map(({ first, last }) => `${name}:${first}, ${last - first + 1} lines`);

/** The names of an enum's members, in their order. */
export function membersOf(text, name) {
  const [, body] = codeOf(text).match(new RegExp(`\\benum (?:class )?${name}\\b[^{]*\\{([^}]*)\\}`)) ?? [];
  return body?.split(',').flatMap((member) => member.match(/\w+/)?.[0] ?? []);
}

/** The fields of a struct that has nothing but fields, in their order. */
export function fieldsOf(text, name) {
  const [, body] = codeOf(text).match(new RegExp(`\\bstruct ${name} \\{([^}]*)\\}`)) ?? [];
  return body
    ?.split(';')
    .flatMap((field) => (/\bstatic\b/.test(field) ? [] : (field.match(/(\w+)(?:\[\w+\])?\s*$/)?.[1] ?? [])));
}

/**
 * The value of a constant or of an enum's member that has its number written: integers, shifts, products, sums, and
 * names of other constants of the same file.
 */
export function numberOf(text, name) {
  const code = codeOf(text);
  const [, expression] = code.match(new RegExp(`\\b${name}\\s*=\\s*([^;,}]+)`)) ?? [];
  if (expression === undefined) return undefined;
  const numbers = expression
    .replace(/\b(0x[\da-fA-F]+|\d+)[uUlL]+\b/g, '$1')
    .replace(/\b[a-zA-Z_]\w*\b/g, (other) => `(${numberOf(text, other)})`)
    .trim();
  if (!/^[\d\sxa-fA-F()<>|*+-]+$/.test(numbers)) return undefined;
  return new Function(`return ${numbers};`)();
}

const FUNCTION_AT_TOP = /^(?:inline |constexpr )*[\w:<>*&]+(?: [\w:<>*&]+)*[ *&]+(\w+)\(/gm;
const CONSTANT_AT_TOP = /^constexpr [\w:]+ (\w+)\s*=/gm;
const withoutEnding = (name) => name.replace(/\.(cc|h)$/, '');

/**
 * Functions and constants of a header that no other file uses, nor the header itself once more, as "file: name".
 *
 * @param {{ name: string, text: string }[]} files
 * @param {(name: string) => boolean} [isUsedElsewhere]
 */
export function unusedDeclarations(files, isUsedElsewhere = () => false) {
  const texts = files.map(({ name, text }) => ({ name, code: codeOf(text) }));
  return texts
    .filter(({ name }) => name.endsWith('.h'))
    .flatMap(({ name, code }) => {
      const found = [FUNCTION_AT_TOP, CONSTANT_AT_TOP].flatMap((form) => [...code.matchAll(form)].map((one) => one[1]));
      const others = texts.filter((other) => withoutEnding(other.name) !== withoutEnding(name));
      const isUsed = (word) => {
        const uses = new RegExp(`\\b${word}\\b`, 'g');
        return code.match(uses).length > 1 || others.some((other) => uses.test(other.code));
      };
      return [...new Set(found)]
        .filter((word) => !isUsed(word) && !isUsedElsewhere(word))
        .map((word) => `${name}: ${word}`);
    });
}
