// What programs/fast-glob.mjs asks, each with the find(1) that answers the same.

export const QUESTIONS = [
  { patterns: ['**/*.txt'], options: { followSymbolicLinks: false }, find: '-type f -name *.txt -not -name .*' },
  { patterns: ['**/*.js'], options: { dot: true }, find: '-L -type f -name *.js' },
  { patterns: ['part*/d{1,2}/*', '!**/*é*'], options: { dot: true }, find: '-path ./part*/d[12]/* -not -name *é*' },
  {
    patterns: ['**'],
    options: { dot: true, onlyDirectories: true, followSymbolicLinks: false },
    find: '-mindepth 1 -type d',
  },
  { patterns: ['*'], options: { onlyFiles: false }, find: '-mindepth 1 -maxdepth 1' },
];
