// Words of a private dialect that an engineer of the field would have to translate, and the field's word for each. None
// of them comes back, in names, comments, messages or documents.

/** In any text. */
export const wordsAnywhere = [
  { pattern: /(?<!round[ -])\btrips?\b|(?<![a-z])Trips?(?![a-z])/, say: 'pool job' },
  { pattern: /\b[Bb]ells?\b/, say: 'wake-up' },
  { pattern: /NOT_TAKEN|\bk?[nN]otTaken\b/, say: 'UNSUPPORTED, FallbackSignal' },
  { pattern: /\bPATH_WHOLE\b/, say: 'PATH_BIGINT' },
  { pattern: /\b[Cc]arriers?\b|\b[Rr]iders?\b/, say: 'merged request, parts' },
  { pattern: /\b([Ww]riting|[Ww]rites|[Ww]rote) behind\b(?! the end)/, say: 'write buffering' },
  { pattern: /\b[Ii]n[ -]passing\b/, say: 'observable only by timing or identity' },
  { pattern: /\b[Ww]ord(s|ed|ing)? (its|their|the) (own )?errors?\b/, say: 'raises its own error' },
  { pattern: /\bluck\b/, say: 'what decides it' },
];

/** As names in the code of src/ and csrc/; in a sentence they are English. */
export const wordsAsNames = [
  { pattern: /^(asked|given)$/, say: 'options, args' },
  { pattern: /^subject$/, say: 'buffer, or keepAlive' },
  { pattern: /^(Ending|goOn)$/, say: 'Completion, resume' },
  { pattern: /^(byNode|orByNode|delegate|otherwise|again|original)$/, say: 'fallback' },
  { pattern: /^plain(?!Function$)[A-Z]\w*$/, say: 'tryParse…' },
];

/** Lines that have such a word, as "file:line says …". */
export const foundAnywhere = (name, text) =>
  text.split('\n').flatMap((line, index) =>
    wordsAnywhere.flatMap(({ pattern, say }) => {
      const [word] = line.match(pattern) ?? [];
      return word === undefined ? [] : [`${name}:${index + 1} says "${word}": ${say}`];
    }),
  );

/** Names that are such a word, among those of a file. */
export const foundAsNames = (name, names) =>
  [...new Set(names)].flatMap((one) =>
    wordsAsNames.filter(({ pattern }) => pattern.test(one)).map(({ say }) => `${name} has the name "${one}": ${say}`),
  );
