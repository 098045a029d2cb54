// What curl(1) asks the server of programs/send.mjs. The first answer's entity tag stands for ETAG in the others.

const BIG = 'big-1';

export const REQUESTS = [
  { name: 'whole', file: BIG, args: [], status: 200 },
  { name: 'empty', file: 'empty', args: [], status: 200 },
  { name: 'range', file: BIG, args: ['--range', '100-70099'], status: 206, part: [100, 70_000] },
  { name: 'range-to-end', file: BIG, args: ['--range', '1999000-'], status: 206, part: [1_999_000, 1000] },
  { name: 'range-from-end', file: BIG, args: ['--range', '-12345'], status: 206, part: [2_000_000 - 12_345, 12_345] },
  { name: 'range-beyond', file: BIG, args: ['--range', '2000000-2000001'], status: 416 },
  { name: 'head', file: BIG, args: ['--head'], status: 200 },
  { name: 'unchanged', file: BIG, args: ['--header', 'If-None-Match: ETAG'], status: 304 },
  { name: 'changed', file: BIG, args: ['--header', 'If-None-Match: "other"'], status: 200 },
  { name: 'since', file: BIG, args: ['--header', 'If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT'], status: 304 },
  { name: 'if-range', file: BIG, args: ['--range', '5-9', '--header', 'If-Range: ETAG'], status: 206, part: [5, 5] },
  { name: 'if-range-other', file: BIG, args: ['--range', '5-9', '--header', 'If-Range: "other"'], status: 200 },
  { name: 'name', file: 'folder é/a b.txt', args: [], status: 200 },
  { name: 'missing', file: 'no such file', args: [], status: 404 },
];
