// The lines that programs/sonic-boom.mjs writes, for the program and for its check.

export const LINES = 20_000;

export const lineOf = (index) =>
  `${JSON.stringify({ level: 30, index, message: `line é ${index}`, pad: 'x'.repeat(index % 90) })}\n`;
